-- From the only top unit two levels down, over the last days.
SELECT place[:3] AS path, len(place) < 3 AS remainder, { 'count': count(*) } AS values
FROM orders
WHERE local >= TIMESTAMP '2014-12-29'
GROUP BY ALL;
