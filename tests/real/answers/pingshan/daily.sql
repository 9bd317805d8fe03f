-- Every day from the first order to the last; more than half of them have none.
WITH asked AS (SELECT *, local AS step FROM orders),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 DAY)) AS step FROM asked
)
SELECT
    ['坪山区'] AS path,
    false AS remainder,
    time_of(step) AS time,
    { 'count': count(id), 'in_time': count(id) FILTER (in_time = 'yes') } AS values
FROM steps LEFT JOIN asked USING (step)
GROUP BY step
ORDER BY step;
