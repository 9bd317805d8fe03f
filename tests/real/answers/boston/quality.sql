-- What the report of an import has to count, over all rows of the file.
WITH points_counted AS (
    SELECT
        count(*) FILTER (lon = 0 AND lat = 0) AS zero,
        count(*) FILTER (is_default(lon, lat) AND NOT (lon = 0 AND lat = 0)) AS city_hall
    FROM points
)
SELECT
    count(*) AS rows,
    (SELECT count(*) FROM orders) AS orders,
    count(*) FILTER (value_of(case_enquiry_id) IS NULL OR created IS NULL) AS rejected,
    {
        'rows': count(*) - count(DISTINCT value_of(case_enquiry_id)),
        'ids': (SELECT count(*) FROM (SELECT 1 FROM raw GROUP BY value_of(case_enquiry_id) HAVING count(*) > 1))
    } AS repeated,
    {
        'case_enquiry_id': count(*) - count(value_of(case_enquiry_id)),
        'open_dt': count(*) - count(value_of(open_dt)),
        'closed_dt': count(*) - count(value_of(closed_dt)),
        'target_dt': count(*) - count(value_of(target_dt)),
        'ontime': count(*) - count(value_of(ontime)),
        'subject': count(*) - count(value_of(subject)),
        'reason': count(*) - count(value_of(reason)),
        'type': count(*) - count(value_of(type)),
        'source': count(*) - count(value_of(source)),
        'department': count(*) - count(value_of(department)),
        'case_status': count(*) - count(value_of(case_status)),
        'ward': count(*) - count(value_of(ward)),
        'precinct': count(*) - count(value_of(precinct)),
        'location_street_name': count(*) - count(value_of(location_street_name)),
        'longitude': count(*) - count(value_of(longitude)),
        'latitude': count(*) - count(value_of(latitude))
    } AS missing,
    {
        'closed_dt': count(closed) - count(in_range(closed)),
        'target_dt': count(due) - count(in_range(due))
    } AS out_of_range,
    {
        'open_dt': count(*) FILTER (odd_time(created) = 'ambiguous'),
        'closed_dt': count(*) FILTER (odd_time(closed) = 'ambiguous'),
        'target_dt': count(*) FILTER (odd_time(due) = 'ambiguous')
    } AS ambiguous,
    {
        'open_dt': count(*) FILTER (odd_time(created) = 'skipped'),
        'closed_dt': count(*) FILTER (odd_time(closed) = 'skipped'),
        'target_dt': count(*) FILTER (odd_time(due) = 'skipped')
    } AS skipped,
    {
        'place': count(*) FILTER (is_cut(place)),
        'topic': count(*) FILTER (is_cut(levels.topic))
    } AS cut,
    {
        'minutes_to_close': count(*) FILTER (instant(in_range(closed)) < instant(created))
    } AS negative,
    { 'zero': any_value(zero), 'default': any_value(city_hall) } AS location,
    (
        SELECT list(column_name ORDER BY column_index) FROM duckdb_columns()
        WHERE table_name = 'raw' AND column_name NOT IN (
            'row', 'case_enquiry_id', 'open_dt', 'closed_dt', 'target_dt', 'ontime', 'subject', 'reason', 'type',
            'source', 'department', 'ward', 'precinct', 'location_street_name', 'longitude', 'latitude', 'case_status')
    ) AS ignored
FROM raw
JOIN levels USING (row)
JOIN times USING (row)
CROSS JOIN points_counted;
