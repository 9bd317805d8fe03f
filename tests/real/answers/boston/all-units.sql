-- All wards, also those without an order of four small departments.
WITH asked AS (
    SELECT *, place[:2] AS path FROM orders WHERE department IN ('DISB', 'BPS_', 'No Q', 'BHA_')
),
groups AS (
    SELECT place[:2] AS path FROM orders WHERE len(place) >= 2
    UNION
    SELECT path FROM asked
)
SELECT
    path,
    len(path) < 2 AS remainder,
    {
        'count': count(id),
        'judged': count(id) FILTER (on_time IN ('yes', 'no')),
        'rate:on_time/judged':
            ratio(count(id) FILTER (on_time = 'yes'), count(id) FILTER (on_time IN ('yes', 'no'))),
        'min:minutes_to_close': min(minutes_to_close),
        'distinct:address': count(DISTINCT address)
    } AS values
FROM groups LEFT JOIN asked USING (path)
GROUP BY ALL
ORDER BY path;
