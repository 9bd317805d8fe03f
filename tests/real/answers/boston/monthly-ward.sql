-- Months of every ward.
WITH asked AS (SELECT *, place[:2] AS path, date_trunc('month', local) AS step FROM orders),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 MONTH)) AS step FROM asked
),
groups AS (SELECT DISTINCT path FROM asked)
SELECT
    path,
    len(path) < 2 AS remainder,
    time_of(step) AS time,
    {
        'count': count(id),
        'rate:on_time/judged':
            ratio(count(id) FILTER (on_time = 'yes'), count(id) FILTER (on_time IN ('yes', 'no')))
    } AS values
FROM steps CROSS JOIN groups LEFT JOIN asked USING (step, path)
GROUP BY step, path
ORDER BY path, step;
