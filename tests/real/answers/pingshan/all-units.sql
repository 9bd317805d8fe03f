-- All communities by two rare kinds, also those without such an order.
WITH asked AS (SELECT *, place[:3] AS path FROM orders WHERE kind IN ('感谢', '其他')),
groups AS (
    SELECT * FROM (SELECT DISTINCT place AS path FROM orders WHERE len(place) = 3)
    CROSS JOIN (SELECT DISTINCT kind FROM asked)
    UNION
    SELECT path, kind FROM asked
)
SELECT
    path,
    len(path) < 3 AS remainder,
    { 'kind': kind } AS by,
    { 'count': count(id), 'rate:in_time/count': ratio(count(id) FILTER (in_time = 'yes'), count(id)) } AS values
FROM groups LEFT JOIN asked USING (path, kind)
GROUP BY path, kind
ORDER BY path, kind;
