-- Not, and, or; a missing outcome is not yes.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'department': department } AS by,
    { 'count': count(*) } AS values
FROM orders
WHERE on_time IS DISTINCT FROM 'yes' AND department IS DISTINCT FROM 'PWDx'
    AND (channel = 'Self Service' OR closed IS NULL OR lon IS NULL)
GROUP BY department
ORDER BY department;
