-- The outcome as a group; missing is one, and has no rate.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'on_time': on_time, 'channel': channel } AS by,
    {
        'count': count(*),
        'judged': count(*) FILTER (on_time IN ('yes', 'no')),
        'rate:on_time/judged':
            ratio(count(*) FILTER (on_time = 'yes'), count(*) FILTER (on_time IN ('yes', 'no')))
    } AS values
FROM orders
GROUP BY on_time, channel
ORDER BY on_time, channel;
