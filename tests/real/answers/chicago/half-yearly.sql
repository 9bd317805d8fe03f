-- Half years of one community area.
WITH asked AS (
    SELECT *, date_trunc('year', local) + CASE WHEN month(local) > 6 THEN INTERVAL 6 MONTH ELSE INTERVAL 0 MONTH END AS step
    FROM orders WHERE place[2] = '25'
),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 6 MONTH)) AS step FROM asked
)
SELECT
    ['Chicago', '25'] AS path,
    false AS remainder,
    time_of(step) AS time,
    { 'count': count(id), 'distinct:address': count(DISTINCT address) } AS values
FROM steps LEFT JOIN asked USING (step)
GROUP BY step
ORDER BY step;
