-- Months by channel.
WITH asked AS (SELECT *, date_trunc('month', local) AS step FROM orders),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 MONTH)) AS step FROM asked
),
groups AS (SELECT DISTINCT channel FROM asked)
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    time_of(step) AS time,
    { 'channel': channel } AS by,
    { 'count': count(id), 'rate:in_time/count': ratio(count(id) FILTER (in_time = 'yes'), count(id)) } AS values
FROM steps CROSS JOIN groups LEFT JOIN asked USING (step, channel)
GROUP BY step, channel
ORDER BY channel, step;
