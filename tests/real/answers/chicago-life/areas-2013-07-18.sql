-- The day on which a complaint was taken for a duplicate that came back later.
SELECT
    CASE WHEN area IS NULL THEN ['Chicago'] ELSE ['Chicago', area] END AS path,
    area IS NULL AS remainder,
    {
        'count': count(*),
        'completed': count(*) FILTER (status = 'Completed'),
        'mean:days_to_close': mean_of(days_to_close)
    } AS values
FROM known(DATE '2013-07-18')
GROUP BY area
ORDER BY area;
