-- From the city two levels down: precincts, and what lies above them.
SELECT
    place[:3] AS path,
    len(place) < 3 AS remainder,
    {
        'count': count(*),
        'on_time': count(*) FILTER (on_time = 'yes'),
        'judged': count(*) FILTER (on_time IN ('yes', 'no'))
    } AS values
FROM orders
GROUP BY ALL
ORDER BY path;
