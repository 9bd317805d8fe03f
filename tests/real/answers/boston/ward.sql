-- The precincts of one ward, spelt in two ways in the file.
SELECT
    place[:3] AS path,
    len(place) < 3 AS remainder,
    {
        'count': count(*),
        'mean:minutes_to_close': mean_of(minutes_to_close),
        'min:minutes_to_close': min(minutes_to_close),
        'max:minutes_to_close': max(minutes_to_close),
        'p50:minutes_to_close': quantile_of(minutes_to_close, 50),
        'p90:minutes_to_close': quantile_of(minutes_to_close, 90)
    } AS values
FROM orders
WHERE place[2] = '18'
GROUP BY ALL
ORDER BY path;
