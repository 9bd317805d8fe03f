-- The twelve addresses of the city with most orders.
WITH ranked AS (
    SELECT place, row_number() OVER (ORDER BY count(*) DESC) > 12 AS others FROM orders GROUP BY place
)
SELECT
    CASE WHEN others THEN [] ELSE place END AS path,
    NOT others AND len(path) < 3 AS remainder,
    {
        'count': count(*),
        'duplicate': count(*) FILTER (duplicate = 'yes'),
        'p50:days_to_close': quantile_of(days_to_close, 50)
    } AS values,
    others
FROM orders JOIN ranked USING (place)
GROUP BY ALL
ORDER BY others, count(*) DESC, path;
