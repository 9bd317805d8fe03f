-- From the district two levels down: communities.
SELECT
    place[:3] AS path,
    len(place) < 3 AS remainder,
    { 'count': count(*), 'in_time': count(*) FILTER (in_time = 'yes') } AS values
FROM orders
GROUP BY ALL
ORDER BY path;
