-- Orders that are open at the end of every week, ward by ward: created by then, less closed by then.
WITH steps AS (
    SELECT unnest(generate_series(TIMESTAMP '2011-07-11', TIMESTAMP '2012-01-30', INTERVAL 7 DAY)) AS step
),
edges AS (SELECT step, instant(step) AS since, instant(step + INTERVAL 7 DAY) AS until FROM steps),
paths AS (SELECT DISTINCT place[:2] AS path FROM orders)
SELECT
    path,
    len(path) < 2 AS remainder,
    time_of(step) AS time,
    rfc3339(until) AS until,
    count(*) FILTER (created >= since AND created < until) AS opened,
    count(*) FILTER (closed >= since AND closed < until) AS closed,
    count(*) FILTER (created < until) - count(*) FILTER (closed < until) AS open
FROM edges CROSS JOIN paths JOIN (SELECT place[:2] AS path, created, closed FROM orders) AS orders USING (path)
GROUP BY path, step, since, until
ORDER BY path, step;
