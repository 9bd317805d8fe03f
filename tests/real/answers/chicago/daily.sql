-- Days across the change of the clock in March.
WITH asked AS (
    SELECT *, local AS step FROM orders WHERE local >= TIMESTAMP '2012-02-15' AND local < TIMESTAMP '2012-04-01'
),
steps AS (
    SELECT unnest(generate_series(TIMESTAMP '2012-02-15', TIMESTAMP '2012-03-31', INTERVAL 1 DAY)) AS step
),
groups AS (SELECT DISTINCT duplicate FROM asked)
SELECT
    ['Chicago'] AS path,
    false AS remainder,
    time_of(step) AS time,
    { 'duplicate': duplicate } AS by,
    { 'count': count(id) } AS values
FROM steps CROSS JOIN groups LEFT JOIN asked USING (step, duplicate)
GROUP BY step, duplicate
ORDER BY duplicate, step;
