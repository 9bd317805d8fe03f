-- ISO weeks by channel; a channel that was used once has a row for every week.
WITH asked AS (SELECT *, date_trunc('week', local) AS step FROM orders),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 WEEK)) AS step FROM asked
),
groups AS (SELECT DISTINCT channel FROM asked)
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    time_of(step) AS time,
    { 'channel': channel } AS by,
    { 'count': count(id) } AS values
FROM steps CROSS JOIN groups LEFT JOIN asked USING (step, channel)
GROUP BY step, channel
ORDER BY channel, step;
