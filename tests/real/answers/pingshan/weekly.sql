-- ISO weeks of every street from a Saturday on.
WITH asked AS (
    SELECT *, place[:2] AS path, date_trunc('week', local) AS step FROM orders WHERE local >= TIMESTAMP '2018-09-01'
),
steps AS (
    SELECT unnest(generate_series(TIMESTAMP '2018-08-27', max(step), INTERVAL 1 WEEK)) AS step FROM asked
),
groups AS (SELECT DISTINCT path FROM asked)
SELECT
    path,
    len(path) < 2 AS remainder,
    time_of(step) AS time,
    { 'count': count(id) } AS values
FROM steps CROSS JOIN groups LEFT JOIN asked USING (step, path)
GROUP BY step, path
ORDER BY path, step;
