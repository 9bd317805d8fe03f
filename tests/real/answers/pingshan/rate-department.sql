-- The rate by department, two channels, no complaints.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'department': department } AS by,
    { 'count': count(*), 'rate:in_time/count': ratio(count(*) FILTER (in_time = 'yes'), count(*)) } AS values
FROM orders
WHERE channel IN ('12345', '12319') AND kind IS DISTINCT FROM '投诉'
GROUP BY department
ORDER BY department;
