-- Months of creation as known on the day on which the clock was set back: what was still open, month by month.
WITH asked AS (SELECT *, date_trunc('month', local) AS step FROM known(DATE '2012-11-04')),
steps AS (SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 MONTH)) AS step FROM asked)
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    time_of(step) AS time,
    {
        'count': count(id),
        'rate:completed/count': ratio(count(id) FILTER (status = 'Completed'), count(id)),
        'max:days_to_close': max(days_to_close)
    } AS values
FROM steps LEFT JOIN asked USING (step)
GROUP BY step
ORDER BY step;
