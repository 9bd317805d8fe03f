-- A union of units; one lies in another and adds nothing.
SELECT
    CASE WHEN place[2] = '5' THEN place[:2] ELSE place[:3] END AS path,
    false AS remainder,
    { 'topic': { 'path': topic[:1], 'remainder': len(topic) < 1 } } AS by,
    { 'count': count(*) } AS values
FROM orders
WHERE place[2] = '5' OR place[:3] = ['Boston', '18', '1803']
GROUP BY path, topic[:1], len(topic) < 1
ORDER BY path, topic[:1];
