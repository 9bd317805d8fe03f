-- Minutes to close by reason.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'topic': { 'path': topic[:2], 'remainder': len(topic) < 2 } } AS by,
    {
        'count': count(*),
        'p50:minutes_to_close': quantile_of(minutes_to_close, 50),
        'p90:minutes_to_close': quantile_of(minutes_to_close, 90),
        'mean:minutes_to_close': mean_of(minutes_to_close),
        'sum:minutes_to_close': coalesce(sum(minutes_to_close), 0),
        'min:minutes_to_close': min(minutes_to_close),
        'max:minutes_to_close': max(minutes_to_close)
    } AS values
FROM orders
GROUP BY topic[:2], len(topic) < 2
ORDER BY topic[:2];
