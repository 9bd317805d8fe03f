-- Topics at their middle level by kind, on one street.
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'topic': { 'path': topic[:2], 'remainder': len(topic) < 2 }, 'kind': kind } AS by,
    { 'count': count(*) } AS values
FROM orders
WHERE place[2] = '坪山街道'
GROUP BY topic[:2], len(topic) < 2, kind
ORDER BY topic[:2], kind;
