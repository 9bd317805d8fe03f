-- Different addresses by ward and channel.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    { 'channel': channel } AS by,
    { 'count': count(*), 'distinct:address': count(DISTINCT address) } AS values
FROM orders
GROUP BY place[:2], len(place) < 2, channel
ORDER BY path, channel;
