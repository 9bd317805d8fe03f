-- The five wards with the best rate.
WITH rates AS (
    SELECT
        place[:2] AS ward,
        count(*) FILTER (on_time = 'yes') AS on_time,
        count(*) FILTER (on_time IN ('yes', 'no')) AS judged,
        count(*) AS orders
    FROM orders GROUP BY ward
),
ranked AS (
    SELECT *, row_number() OVER (ORDER BY on_time / judged DESC) > 5 AS others FROM rates
)
SELECT
    CASE WHEN others THEN [] ELSE ward END AS path,
    NOT others AND len(path) < 2 AS remainder,
    { 'rate:on_time/judged': ratio(sum(on_time), sum(judged)), 'count': sum(orders) } AS values,
    others
FROM ranked
GROUP BY ALL
ORDER BY others, sum(on_time) / sum(judged) DESC;
