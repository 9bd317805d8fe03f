-- The three most frequent reasons of the half year, week by week.
WITH asked AS (
    SELECT *, topic[:2] AS reason, date_trunc('week', local) AS step FROM orders
),
ranked AS (
    SELECT reason, row_number() OVER (ORDER BY count(*) DESC) > 3 AS others FROM asked GROUP BY reason
),
cut AS (
    SELECT step, id, CASE WHEN NOT others THEN reason END AS top FROM asked JOIN ranked USING (reason)
),
steps AS (
    SELECT unnest(generate_series(min(step), max(step), INTERVAL 1 WEEK)) AS step FROM asked
),
groups AS (SELECT DISTINCT top FROM cut)
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    time_of(steps.step) AS time,
    { 'topic': CASE WHEN groups.top IS NOT NULL THEN { 'path': groups.top, 'remainder': false } END } AS by,
    { 'count': count(id) } AS values,
    groups.top IS NULL AS others
FROM steps CROSS JOIN groups
LEFT JOIN cut ON cut.step = steps.step AND cut.top IS NOT DISTINCT FROM groups.top
GROUP BY steps.step, groups.top
ORDER BY groups.top, steps.step;
