-- Every day from the first order to the last.
WITH asked AS (SELECT *, date_trunc('day', local) AS step FROM orders),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 DAY)) AS step FROM asked
)
SELECT
    ['Boston'] AS path,
    false AS remainder,
    time_of(step) AS time,
    { 'count': count(id), 'on_time': count(id) FILTER (on_time = 'yes') } AS values
FROM steps LEFT JOIN asked USING (step)
GROUP BY step
ORDER BY step;
