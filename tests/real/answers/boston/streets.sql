-- From the city three levels down: 31 thousand streets within their precincts.
SELECT place[:4] AS path, len(place) < 4 AS remainder, { 'count': count(*) } AS values
FROM orders
GROUP BY ALL;
