-- What has no date of completion.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'status': status, 'duplicate': duplicate } AS by,
    {
        'count': count(*),
        'mean:days_to_close': mean_of(days_to_close),
        'max:days_to_close': max(days_to_close)
    } AS values
FROM orders
WHERE closed IS NULL
GROUP BY status, duplicate
ORDER BY status, duplicate;
