-- Midnight to midnight across the change of the clock in March lacks an hour, so a day of 86,400 s.
WITH asked AS (
    SELECT *, local AS step FROM orders WHERE local >= TIMESTAMP '2013-03-05' AND local < TIMESTAMP '2013-03-13'
),
steps AS (
    SELECT unnest(generate_series(TIMESTAMP '2013-03-05', TIMESTAMP '2013-03-12', INTERVAL 1 DAY)) AS step
)
SELECT
    ['Chicago'] AS path,
    false AS remainder,
    time_of(step) AS time,
    {
        'count': count(id),
        'p0:days_to_close': quantile_of(days_to_close, 0),
        'p50:days_to_close': quantile_of(days_to_close, 50),
        'sum:days_to_close': coalesce(sum(days_to_close), 0)
    } AS values
FROM steps LEFT JOIN asked USING (step)
GROUP BY step
ORDER BY step;
