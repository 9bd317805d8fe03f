-- No due date, or one out of the valid range.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'department': department } AS by,
    { 'count': count(*), 'judged': count(*) FILTER (on_time IN ('yes', 'no')) } AS values
FROM orders
WHERE due IS NULL
GROUP BY department
ORDER BY department;
