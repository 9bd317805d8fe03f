-- What was closed in August.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    { 'count': count(*), 'mean:minutes_to_close': mean_of(minutes_to_close) } AS values
FROM orders
WHERE closed >= instant(TIMESTAMP '2011-08-01') AND closed < instant(TIMESTAMP '2011-09-01')
GROUP BY ALL
ORDER BY path;
