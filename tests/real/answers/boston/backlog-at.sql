-- What was open on October 1st: how old, overdue, and due within three days.
WITH moment AS (SELECT instant(TIMESTAMP '2011-10-01') AS now),
open AS (
    SELECT place[:2] AS path, due, (SELECT now FROM moment) AS now, (SELECT now FROM moment) - created AS age
    FROM orders
    WHERE created < (SELECT now FROM moment) AND (closed IS NULL OR closed >= (SELECT now FROM moment))
)
SELECT
    path,
    len(path) < 2 AS remainder,
    count(*) AS open,
    count(*) FILTER (due < now) AS overdue,
    count(*) FILTER (due >= now AND due < now + 72 * 3600) AS due_soon,
    [
        count(*) FILTER (age <= 86400),
        count(*) FILTER (age > 86400 AND age <= 7 * 86400),
        count(*) FILTER (age > 7 * 86400 AND age <= 30 * 86400),
        count(*) FILTER (age > 30 * 86400)
    ] AS ages
FROM open
GROUP BY path
ORDER BY path;
