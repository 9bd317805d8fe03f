-- The same with the wards between as subtotals, over one month and two channels.
WITH asked AS (
    SELECT * FROM orders
    WHERE local >= TIMESTAMP '2011-12-01' AND channel IN ('Citizens Connect App', 'Twitter')
),
cut AS (
    SELECT place[:3] AS path, len(place) < 3 AS remainder, false AS subtotal, on_time FROM asked
    UNION ALL
    SELECT place[:2], false, true, on_time FROM asked WHERE len(place) >= 2
)
SELECT
    path,
    remainder,
    {
        'count': count(*),
        'rate:on_time/judged':
            ratio(count(*) FILTER (on_time = 'yes'), count(*) FILTER (on_time IN ('yes', 'no')))
    } AS values,
    subtotal
FROM cut
GROUP BY ALL
ORDER BY path, remainder;
