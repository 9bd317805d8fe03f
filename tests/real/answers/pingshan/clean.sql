CREATE TABLE levels AS
SELECT
    row,
    [value_of(district), value_of(street), value_of(community)] AS place,
    [value_of(event_type), value_of(main_type), value_of(sub_type)] AS topic
FROM raw;

CREATE TABLE points AS
SELECT row, e7(value_of(lon)) AS lon, e7(value_of(lat)) AS lat FROM raw;

CREATE TABLE orders AS
WITH instants AS (
    SELECT row, instant(CAST(value_of(create_time) AS TIMESTAMP)) AS created FROM raw
)
SELECT
    value_of(rec_id) AS id,
    created,
    wall_clock(created) AS local,
    path_of(place) AS place,
    path_of(levels.topic) AS topic,
    value_of(dispose_unit) AS department,
    value_of(source) AS channel,
    value_of(property) AS kind,
    CASE value_of(achieve) WHEN 'intime' THEN 'yes' WHEN 'overtime' THEN 'no' END AS in_time,
    value_of(unit_code) AS unit,
    CASE WHEN NOT (points.lon = 0 AND points.lat = 0) THEN points.lon END AS lon,
    CASE WHEN NOT (points.lon = 0 AND points.lat = 0) THEN points.lat END AS lat
FROM raw
JOIN levels USING (row)
JOIN instants USING (row)
JOIN points USING (row)
QUALIFY row_number() OVER (PARTITION BY value_of(rec_id) ORDER BY row DESC) = 1;
