-- Orders without department, which have no unit either.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    { 'count': count(*), 'distinct:unit': count(DISTINCT unit) } AS values
FROM orders
WHERE department IS NULL
GROUP BY ALL
ORDER BY path;
