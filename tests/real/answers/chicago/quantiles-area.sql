-- Days to close by community area.
SELECT
    place[:2] AS path,
    len(place) < 2 AS remainder,
    {
        'count': count(*),
        'p50:days_to_close': quantile_of(days_to_close, 50),
        'p90:days_to_close': quantile_of(days_to_close, 90),
        'mean:days_to_close': mean_of(days_to_close),
        'sum:days_to_close': coalesce(sum(days_to_close), 0),
        'min:days_to_close': min(days_to_close),
        'max:days_to_close': max(days_to_close)
    } AS values
FROM orders
GROUP BY ALL
ORDER BY path;
