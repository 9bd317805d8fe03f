-- The share of duplicates among what was done within three days of 86,400 s, by ward.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'ward': ward } AS by,
    { 'count': count(*), 'rate:duplicate/count': ratio(count(*) FILTER (duplicate = 'yes'), count(*)) } AS values
FROM orders
WHERE local >= TIMESTAMP '2013-01-01' AND local < TIMESTAMP '2014-01-01'
    AND days_to_close <= 3
    AND status IS DISTINCT FROM 'Open'
GROUP BY ward
ORDER BY ward;
