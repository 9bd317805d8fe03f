CREATE TABLE levels AS
SELECT row, ['Chicago', whole_number(value_of(Community_Area)), value_of(Street_Address)] AS place
FROM raw;

CREATE TABLE times AS
SELECT
    row,
    CAST(value_of(Creation_Date) AS TIMESTAMP) AS created,
    CAST(value_of(Completion_Date) AS TIMESTAMP) AS closed
FROM raw;

CREATE TABLE orders AS
WITH instants AS (
    SELECT row, instant(created) AS created, instant(closed) AS closed FROM times
)
SELECT
    value_of(Service_Request_Number) AS id,
    instants.created,
    wall_clock(instants.created) AS local,
    closed,
    CAST(floor((closed - instants.created) / 86400) AS BIGINT) AS days_to_close,
    path_of(place) AS place,
    whole_number(value_of(raw.Ward)) AS ward,
    value_of(raw.Status) AS status,
    CASE WHEN ends_with(value_of(raw.Status), '- Dup') THEN 'yes' ELSE 'no' END AS duplicate,
    value_of(Street_Address) AS address,
    value_of(What_is_the_Nature_of_this_Code_Violation) AS nature
FROM raw
JOIN levels USING (row)
JOIN instants USING (row)
QUALIFY row_number() OVER (PARTITION BY value_of(Service_Request_Number) ORDER BY row DESC) = 1;
