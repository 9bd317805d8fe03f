-- A cross table of rates under three conditions, one of them on a tree, one on a measure.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'channel': channel, 'department': department } AS by,
    {
        'count': count(*),
        'rate:on_time/judged':
            ratio(count(*) FILTER (on_time = 'yes'), count(*) FILTER (on_time IN ('yes', 'no'))),
        'rate:judged/count': ratio(count(*) FILTER (on_time IN ('yes', 'no')), count(*))
    } AS values
FROM orders
WHERE (topic[:2] = ['Public Works Department', 'Highway Maintenance'] OR topic[1] = 'Inspectional Services')
    AND channel IS DISTINCT FROM 'Employee Generated'
    AND minutes_to_close >= 60
GROUP BY channel, department
ORDER BY channel, department;
