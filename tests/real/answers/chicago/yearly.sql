-- Years by community area, for three wards.
WITH asked AS (
    SELECT *, place[:2] AS path, date_trunc('year', local) AS step FROM orders WHERE ward IN ('25', '0', '3')
),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 YEAR)) AS step FROM asked
),
groups AS (SELECT DISTINCT path FROM asked)
SELECT
    path,
    len(path) < 2 AS remainder,
    time_of(step) AS time,
    { 'count': count(id), 'duplicate': count(id) FILTER (duplicate = 'yes') } AS values
FROM steps CROSS JOIN groups LEFT JOIN asked USING (step, path)
GROUP BY step, path
ORDER BY path, step;
