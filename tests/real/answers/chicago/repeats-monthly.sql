-- Addresses with two complaints or more in a month, month by month.
WITH steps AS (
    SELECT unnest(generate_series(TIMESTAMP '2011-01-01', TIMESTAMP '2015-06-01', INTERVAL 1 MONTH)) AS step
),
of_address AS (
    SELECT date_trunc('month', local) AS step, address, count(*) AS size FROM orders GROUP BY ALL
)
SELECT
    time_of(step) AS 'from',
    time_of(step + INTERVAL 1 MONTH) AS until,
    count(*) FILTER (size > 1 AND address IS NOT NULL) AS groups,
    CAST(coalesce(sum(size) FILTER (size > 1 AND address IS NOT NULL), 0) AS BIGINT) AS orders,
    CAST(coalesce(sum(size), 0) AS BIGINT) AS volume
FROM steps LEFT JOIN of_address USING (step)
GROUP BY step
ORDER BY step;
