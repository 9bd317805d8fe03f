-- The day of 25 hours, between two instants that lie within their days.
WITH asked AS (
    SELECT *, place[:2] AS path, date_trunc('day', local) AS step FROM orders
    WHERE created >= epoch_us(TIMESTAMP '2011-11-06 05:10:00') // 1000000
        AND created < epoch_us(TIMESTAMP '2011-11-07 05:30:00') // 1000000
),
steps AS (SELECT unnest([TIMESTAMP '2011-11-06', TIMESTAMP '2011-11-07']) AS step),
groups AS (SELECT DISTINCT path FROM asked)
SELECT
    path,
    len(path) < 2 AS remainder,
    time_of(step) AS time,
    { 'count': count(id) } AS values
FROM steps CROSS JOIN groups LEFT JOIN asked USING (step, path)
GROUP BY step, path
ORDER BY path, step;
