-- What was closed in the first of the two hours from 1 to 2, both ends included.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'department': department } AS by,
    { 'count': count(*), 'sum:minutes_to_close': sum(minutes_to_close) } AS values
FROM orders
WHERE closed >= epoch_us(TIMESTAMP '2011-11-06 05:00:00') // 1000000
    AND closed <= epoch_us(TIMESTAMP '2011-11-06 06:00:00') // 1000000
GROUP BY department
ORDER BY department;
