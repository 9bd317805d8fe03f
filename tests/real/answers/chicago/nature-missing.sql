-- No nature told, and ward 6 or none.
SELECT place[:2] AS path, len(place) < 2 AS remainder, { 'count': count(*) } AS values
FROM orders
WHERE nature IS NULL AND (ward IS NULL OR ward = '6')
GROUP BY ALL
ORDER BY path;
