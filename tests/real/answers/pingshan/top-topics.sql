-- The ten most frequent topics; others are computed anew from their orders.
WITH ranked AS (
    SELECT topic, row_number() OVER (ORDER BY count(*) DESC) > 10 AS others FROM orders GROUP BY topic
)
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'topic': CASE WHEN NOT others THEN { 'path': any_value(topic), 'remainder': false } END } AS by,
    {
        'count': count(*),
        'distinct:unit': count(DISTINCT unit),
        'rate:in_time/count': ratio(count(*) FILTER (in_time = 'yes'), count(*))
    } AS values,
    others
FROM orders JOIN ranked USING (topic)
GROUP BY others, CASE WHEN NOT others THEN topic END
ORDER BY others, count(*) DESC;
