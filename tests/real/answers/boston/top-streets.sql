-- The nine streets of a ward with most orders; after them comes a tie.
WITH asked AS (SELECT * FROM orders WHERE place[2] = '18'),
ranked AS (
    SELECT place, row_number() OVER (ORDER BY count(*) DESC) > 9 AS others FROM asked GROUP BY place
)
SELECT
    CASE WHEN others THEN [] ELSE place END AS path,
    NOT others AND len(path) < 4 AS remainder,
    { 'count': count(*), 'max:minutes_to_close': max(minutes_to_close) } AS values,
    others
FROM asked JOIN ranked USING (place)
GROUP BY ALL
ORDER BY others, count(*) DESC, path;
