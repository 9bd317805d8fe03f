-- What the report of an import has to count, over all rows of the file.
SELECT
    count(*) AS rows,
    (SELECT count(*) FROM orders) AS orders,
    count(*) FILTER (value_of(Service_Request_Number) IS NULL OR created IS NULL) AS rejected,
    {
        'rows': count(*) - count(DISTINCT value_of(Service_Request_Number)),
        'ids': (SELECT count(*) FROM (SELECT 1 FROM raw GROUP BY value_of(Service_Request_Number) HAVING count(*) > 1))
    } AS repeated,
    {
        'Service_Request_Number': count(*) - count(value_of(Service_Request_Number)),
        'Creation_Date': count(*) - count(value_of(Creation_Date)),
        'Completion_Date': count(*) - count(value_of(Completion_Date)),
        'Status': count(*) - count(value_of(Status)),
        'Community_Area': count(*) - count(value_of(Community_Area)),
        'Street_Address': count(*) - count(value_of(Street_Address)),
        'Ward': count(*) - count(value_of(Ward)),
        'Longitude': count(*) - count(value_of(Longitude)),
        'Latitude': count(*) - count(value_of(Latitude)),
        'What_is_the_Nature_of_this_Code_Violation':
            count(*) - count(value_of(What_is_the_Nature_of_this_Code_Violation))
    } AS missing,
    {
        'Creation_Date': count(*) FILTER (odd_time(created) = 'ambiguous'),
        'Completion_Date': count(*) FILTER (odd_time(closed) = 'ambiguous')
    } AS ambiguous,
    {
        'Creation_Date': count(*) FILTER (odd_time(created) = 'skipped'),
        'Completion_Date': count(*) FILTER (odd_time(closed) = 'skipped')
    } AS skipped,
    { 'place': count(*) FILTER (is_cut(place)) } AS cut,
    { 'days_to_close': count(*) FILTER (instant(closed) < instant(created)) } AS negative,
    { 'zero': count(*) FILTER (e7(value_of(Longitude)) = 0 AND e7(value_of(Latitude)) = 0) } AS location,
    (
        SELECT list(column_name ORDER BY column_index) FROM duckdb_columns()
        WHERE table_name = 'raw' AND column_name NOT IN (
            'row', 'Service_Request_Number', 'Creation_Date', 'Completion_Date', 'Status', 'Community_Area',
            'Street_Address', 'Ward', 'Longitude', 'Latitude',
            'What_is_the_Nature_of_this_Code_Violation')
    ) AS ignored
FROM raw
JOIN levels USING (row)
JOIN times USING (row);
