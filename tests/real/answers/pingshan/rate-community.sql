-- The rate by community under three conditions, over two months.
SELECT
    place[:3] AS path,
    len(place) < 3 AS remainder,
    { 'count': count(*), 'rate:in_time/count': ratio(count(*) FILTER (in_time = 'yes'), count(*)) } AS values
FROM orders
WHERE local >= TIMESTAMP '2018-09-01' AND local < TIMESTAMP '2018-11-01'
    AND (topic[1] = '市容环卫' OR topic[:2] = ['市政设施', '公用部件'])
    AND kind = '投诉'
    AND channel IS DISTINCT FROM '12345'
GROUP BY ALL
ORDER BY path;
