-- What was open, by ward.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'ward': ward } AS by,
    { 'count': count(*) } AS values
FROM known(DATE '2014-06-30')
WHERE closed IS NULL
GROUP BY ward
ORDER BY ward;
