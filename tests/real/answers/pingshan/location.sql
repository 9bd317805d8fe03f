-- A box around three of the five points.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    { 'channel': channel } AS by,
    { 'count': count(*) } AS values
FROM orders
WHERE lon BETWEEN 1143800000 AND 1144100000 AND lat BETWEEN 226900000 AND 227600000
GROUP BY place[:2], len(place) < 2, channel
ORDER BY path, channel;
