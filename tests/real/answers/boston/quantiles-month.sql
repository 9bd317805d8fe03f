-- Outer quantiles of one department by month.
WITH asked AS (
    SELECT *, date_trunc('month', local) AS step FROM orders WHERE department = 'PARK'
),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 MONTH)) AS step FROM asked
)
SELECT
    ['Boston'] AS path,
    false AS remainder,
    time_of(step) AS time,
    {
        'count': count(id),
        'p0:minutes_to_close': quantile_of(minutes_to_close, 0),
        'p25:minutes_to_close': quantile_of(minutes_to_close, 25),
        'p99:minutes_to_close': quantile_of(minutes_to_close, 99),
        'p100:minutes_to_close': quantile_of(minutes_to_close, 100)
    } AS values
FROM steps LEFT JOIN asked USING (step)
GROUP BY step
ORDER BY step;
