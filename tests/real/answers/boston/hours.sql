-- Hours around the change of the clock: 18 by the wall clock, 19 in truth. The hour from 1 to 2 comes twice, and
-- local times in it are the first one.
WITH asked AS (
    SELECT *, created - created % 3600 AS step FROM orders
    WHERE local >= TIMESTAMP '2011-11-05 18:00:00' AND local < TIMESTAMP '2011-11-06 12:00:00'
),
steps AS (
    SELECT unnest(generate_series(
        instant(TIMESTAMP '2011-11-05 18:00:00'), instant(TIMESTAMP '2011-11-06 12:00:00') - 1, 3600)) AS step
)
SELECT
    ['Boston'] AS path,
    false AS remainder,
    rfc3339(step) AS time,
    { 'count': count(id) } AS values
FROM steps LEFT JOIN asked USING (step)
GROUP BY step
ORDER BY step;
