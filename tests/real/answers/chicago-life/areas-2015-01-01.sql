-- The end: what the file has, less duplicates.
SELECT
    CASE WHEN area IS NULL THEN ['Chicago'] ELSE ['Chicago', area] END AS path,
    area IS NULL AS remainder,
    {
        'count': count(*),
        'completed': count(*) FILTER (status = 'Completed'),
        'mean:days_to_close': mean_of(days_to_close)
    } AS values
FROM known(DATE '2015-01-01')
GROUP BY area
ORDER BY area;
