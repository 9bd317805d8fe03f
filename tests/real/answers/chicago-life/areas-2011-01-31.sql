-- What is there after the first month of completions.
SELECT
    CASE WHEN area IS NULL THEN ['Chicago'] ELSE ['Chicago', area] END AS path,
    area IS NULL AS remainder,
    {
        'count': count(*),
        'completed': count(*) FILTER (status = 'Completed'),
        'mean:days_to_close': mean_of(days_to_close)
    } AS values
FROM known(DATE '2011-01-31')
GROUP BY area
ORDER BY area;
