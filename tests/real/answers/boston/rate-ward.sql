-- The rate of one department by ward, over three months and two channels.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    {
        'count': count(*),
        'rate:on_time/judged':
            ratio(count(*) FILTER (on_time = 'yes'), count(*) FILTER (on_time IN ('yes', 'no')))
    } AS values
FROM orders
WHERE local >= TIMESTAMP '2011-08-01' AND local < TIMESTAMP '2011-11-01'
    AND department = 'PWDx'
    AND channel IN ('Constituent Call', 'Self Service')
GROUP BY ALL
ORDER BY path;
