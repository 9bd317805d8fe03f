-- Months from the 28 orders of 2000 on, with ten years of nothing between.
WITH asked AS (SELECT *, date_trunc('month', local) AS step FROM orders),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 MONTH)) AS step FROM asked
)
SELECT
    ['Chicago'] AS path,
    false AS remainder,
    time_of(step) AS time,
    {
        'count': count(id),
        'rate:duplicate/count': ratio(count(id) FILTER (duplicate = 'yes'), count(id)),
        'p90:days_to_close': quantile_of(days_to_close, 90)
    } AS values
FROM steps LEFT JOIN asked USING (step)
GROUP BY step
ORDER BY step;
