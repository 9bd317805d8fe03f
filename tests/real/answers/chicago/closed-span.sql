-- What was completed in July 2011.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    { 'count': count(*), 'max:days_to_close': max(days_to_close) } AS values
FROM orders
WHERE closed >= instant(TIMESTAMP '2011-07-01') AND closed < instant(TIMESTAMP '2011-08-01')
GROUP BY ALL
ORDER BY path;
