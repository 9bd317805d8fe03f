-- The same with the streets between as subtotals, by outcome.
WITH cut AS (
    SELECT place[:3] AS path, len(place) < 3 AS remainder, false AS subtotal, in_time FROM orders
    UNION ALL
    SELECT place[:2], false, true, in_time FROM orders WHERE len(place) >= 2
)
SELECT
    path,
    remainder,
    { 'in_time': in_time } AS by,
    {
        'count': count(*),
        'rate:in_time/count': ratio(count(*) FILTER (in_time = 'yes'), count(*))
    } AS values,
    subtotal
FROM cut
GROUP BY path, remainder, subtotal, in_time
ORDER BY path, remainder, in_time;
