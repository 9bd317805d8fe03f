-- What the report of an import has to count, over all rows of the file.
WITH points_counted AS (
    SELECT count(*) FILTER (lon = 0 AND lat = 0) AS zero FROM points
)
SELECT
    count(*) AS rows,
    (SELECT count(*) FROM orders) AS orders,
    count(*) FILTER (value_of(rec_id) IS NULL OR value_of(create_time) IS NULL) AS rejected,
    {
        'rows': count(*) - count(DISTINCT value_of(rec_id)),
        'ids': (SELECT count(*) FROM (SELECT 1 FROM raw GROUP BY value_of(rec_id) HAVING count(*) > 1))
    } AS repeated,
    {
        'rec_id': count(*) - count(value_of(rec_id)),
        'create_time': count(*) - count(value_of(create_time)),
        'district': count(*) - count(value_of(district)),
        'street': count(*) - count(value_of(street)),
        'community': count(*) - count(value_of(community)),
        'event_type': count(*) - count(value_of(event_type)),
        'main_type': count(*) - count(value_of(main_type)),
        'sub_type': count(*) - count(value_of(sub_type)),
        'dispose_unit': count(*) - count(value_of(dispose_unit)),
        'source': count(*) - count(value_of(source)),
        'property': count(*) - count(value_of(property)),
        'achieve': count(*) - count(value_of(achieve)),
        'unit_code': count(*) - count(value_of(unit_code)),
        'lon': count(*) - count(value_of(lon)),
        'lat': count(*) - count(value_of(lat))
    } AS missing,
    { 'create_time': count(*) FILTER (odd_time(CAST(value_of(create_time) AS TIMESTAMP)) = 'ambiguous') } AS ambiguous,
    { 'create_time': count(*) FILTER (odd_time(CAST(value_of(create_time) AS TIMESTAMP)) = 'skipped') } AS skipped,
    {
        'place': count(*) FILTER (is_cut(place)),
        'topic': count(*) FILTER (is_cut(levels.topic))
    } AS cut,
    { 'zero': any_value(zero) } AS location,
    (
        SELECT list(column_name ORDER BY column_index) FROM duckdb_columns()
        WHERE table_name = 'raw' AND column_name NOT IN (
            'row', 'rec_id', 'create_time', 'district', 'street', 'community', 'event_type', 'main_type', 'sub_type',
            'dispose_unit', 'source', 'property', 'achieve', 'unit_code', 'street_code',
            'community_code', 'lon', 'lat')
    ) AS ignored
FROM raw
JOIN levels USING (row)
CROSS JOIN points_counted;
