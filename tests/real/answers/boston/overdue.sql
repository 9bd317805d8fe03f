-- Due before October and never closed: there is no measure.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    {
        'count': count(*),
        'p50:minutes_to_close': quantile_of(minutes_to_close, 50),
        'sum:minutes_to_close': coalesce(sum(minutes_to_close), 0),
        'mean:minutes_to_close': mean_of(minutes_to_close)
    } AS values
FROM orders
WHERE due < instant(TIMESTAMP '2011-10-01') AND closed IS NULL
GROUP BY ALL
ORDER BY path;
