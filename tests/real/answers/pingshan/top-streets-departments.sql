-- The ten largest pairs of street and department.
WITH ranked AS (
    SELECT
        place[:2] AS street,
        department,
        count(*) AS orders,
        row_number() OVER (ORDER BY count(*) DESC) > 10 AS others
    FROM orders
    GROUP BY street, department
)
SELECT
    CASE WHEN others THEN [] ELSE street END AS path,
    NOT others AND len(path) < 2 AS remainder,
    { 'department': CASE WHEN NOT others THEN department END } AS by,
    { 'count': sum(orders) } AS values,
    others
FROM ranked
GROUP BY ALL
ORDER BY others, sum(orders) DESC;
