CREATE TABLE levels AS
SELECT
    row,
    ['Boston', whole_number(replace(value_of(ward), 'Ward ', '')), value_of(precinct), value_of(location_street_name)] AS place,
    [value_of(subject), value_of(reason), value_of(type)] AS topic
FROM raw;

CREATE TABLE times AS
SELECT
    row,
    CAST(value_of(open_dt) AS TIMESTAMP) AS created,
    CAST(value_of(closed_dt) AS TIMESTAMP) AS closed,
    CAST(value_of(target_dt) AS TIMESTAMP) AS due
FROM raw;

CREATE MACRO in_range(local_time) AS
    CASE WHEN local_time >= TIMESTAMP '2011-01-01' AND local_time < TIMESTAMP '2020-01-01' THEN local_time END;

CREATE TABLE points AS
SELECT row, e7(value_of(longitude)) AS lon, e7(value_of(latitude)) AS lat FROM raw;

CREATE MACRO is_default(lon, lat) AS
    (lon = 0 AND lat = 0) OR (lon = -710587000 AND lat = 423594000);

CREATE TABLE orders AS
WITH instants AS (
    SELECT row, instant(created) AS created, instant(in_range(closed)) AS closed, instant(in_range(due)) AS due
    FROM times
)
SELECT
    value_of(case_enquiry_id) AS id,
    instants.created,
    wall_clock(instants.created) AS local,
    closed,
    due,
    CAST(floor((closed - instants.created) / 60) AS BIGINT) AS minutes_to_close,
    path_of(place) AS place,
    path_of(levels.topic) AS topic,
    value_of(source) AS channel,
    value_of(department) AS department,
    CASE value_of(ontime) WHEN 'ONTIME' THEN 'yes' WHEN 'OVERDUE' THEN 'no' END AS on_time,
    value_of(location_street_name) AS address,
    CASE WHEN NOT is_default(lon, lat) THEN lon END AS lon,
    CASE WHEN NOT is_default(lon, lat) THEN lat END AS lat
FROM raw
JOIN levels USING (row)
JOIN instants USING (row)
JOIN points USING (row)
QUALIFY row_number() OVER (PARTITION BY value_of(case_enquiry_id) ORDER BY row DESC) = 1;
