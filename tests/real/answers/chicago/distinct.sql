-- Different addresses by ward, a ward that is missing and a ward 0 among them.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'ward': ward } AS by,
    { 'count': count(*), 'distinct:address': count(DISTINCT address) } AS values
FROM orders
GROUP BY ward
ORDER BY ward;
