-- From the city two levels down: 49 thousand addresses.
SELECT place[:3] AS path, len(place) < 3 AS remainder, { 'count': count(*) } AS values
FROM orders
GROUP BY ALL;
