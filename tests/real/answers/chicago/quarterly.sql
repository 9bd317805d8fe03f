-- Quarters by status.
WITH asked AS (
    SELECT *, date_trunc('quarter', local) AS step FROM orders
    WHERE local >= TIMESTAMP '2011-01-01' AND local < TIMESTAMP '2014-11-15'
),
steps AS (
    SELECT unnest(generate_series(TIMESTAMP '2011-01-01', TIMESTAMP '2014-10-01', INTERVAL 3 MONTH)) AS step
),
groups AS (SELECT DISTINCT status FROM asked)
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    time_of(step) AS time,
    { 'status': status } AS by,
    { 'count': count(id) } AS values
FROM steps CROSS JOIN groups LEFT JOIN asked USING (step, status)
GROUP BY step, status
ORDER BY status, step;
