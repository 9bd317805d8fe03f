-- The ten most frequent types; others are computed anew from their orders.
WITH ranked AS (
    SELECT topic, row_number() OVER (ORDER BY count(*) DESC) > 10 AS others FROM orders GROUP BY topic
)
SELECT
    CAST([] AS VARCHAR[]) AS path,
    false AS remainder,
    { 'topic': CASE WHEN NOT others THEN { 'path': any_value(topic), 'remainder': false } END } AS by,
    {
        'count': count(*),
        'p90:minutes_to_close': quantile_of(minutes_to_close, 90),
        'distinct:address': count(DISTINCT address),
        'rate:on_time/judged':
            ratio(count(*) FILTER (on_time = 'yes'), count(*) FILTER (on_time IN ('yes', 'no')))
    } AS values,
    others
FROM orders JOIN ranked USING (topic)
GROUP BY others, CASE WHEN NOT others THEN topic END
ORDER BY others, count(*) DESC;
