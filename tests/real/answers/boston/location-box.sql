-- A box with points on its edges, and with the city hall, whose point is missing, within.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    {
        'count': count(*),
        'rate:on_time/judged':
            ratio(count(*) FILTER (on_time = 'yes'), count(*) FILTER (on_time IN ('yes', 'no')))
    } AS values
FROM orders
WHERE lon BETWEEN -711000000 AND -710583000 AND lat BETWEEN 423000000 AND 423603000
GROUP BY ALL
ORDER BY path;
