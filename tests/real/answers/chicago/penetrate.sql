-- From the city one level down: community areas.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    {
        'count': count(*),
        'completed': count(*) FILTER (status IN ('Completed', 'Completed - Dup')),
        'duplicate': count(*) FILTER (duplicate = 'yes')
    } AS values
FROM orders
GROUP BY ALL
ORDER BY path;
