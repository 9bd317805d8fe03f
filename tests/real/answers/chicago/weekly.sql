-- ISO weeks; the first begins before the span does and counts only what lies within.
WITH asked AS (
    SELECT *, date_trunc('week', local) AS step FROM orders WHERE local >= TIMESTAMP '2011-01-01'
),
steps AS (
    SELECT unnest(generate_series(TIMESTAMP '2010-12-27', max(step), INTERVAL 1 WEEK)) AS step FROM asked
)
SELECT
    ['Chicago'] AS path,
    false AS remainder,
    time_of(step) AS time,
    { 'count': count(id), 'completed': count(id) FILTER (status IN ('Completed', 'Completed - Dup')) } AS values
FROM steps LEFT JOIN asked USING (step)
GROUP BY step
ORDER BY step;
