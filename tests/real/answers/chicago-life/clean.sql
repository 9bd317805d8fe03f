-- The complaints as a life: `versions`, each alive in the days [born, died); died is NULL for those that still hold.
--
-- A complaint is opened on the day of its first row, and completed on the day of each of its rows, in the order of
-- these days: completed again where there are several. One that is completed as a duplicate is removed that day, and
-- comes back where a later row completes it as no duplicate. When an open one was found to be a duplicate is not
-- told: it is removed on the last day of the file. What never changes is that of the last row.
CREATE TABLE rows_of AS
SELECT
    row,
    value_of(Service_Request_Number) AS id,
    CAST(value_of(Creation_Date) AS DATE) AS created,
    CAST(value_of(Completion_Date) AS DATE) AS completed,
    value_of(Status) AS status,
    whole_number(value_of(Community_Area)) AS area,
    whole_number(value_of(Ward)) AS ward
FROM raw;

CREATE TABLE events AS
WITH last_day AS (SELECT greatest(max(created), max(completed)) AS day FROM rows_of)
SELECT id, min(created) AS day, 0 AS step, 'Open' AS status, CAST(NULL AS DATE) AS closed
FROM rows_of GROUP BY id
UNION ALL
SELECT id, completed, row, status, completed FROM rows_of WHERE completed IS NOT NULL
UNION ALL
SELECT id, day, row, status, NULL FROM rows_of, last_day WHERE status = 'Open - Dup';

CREATE TABLE versions AS
WITH fixed AS (
    SELECT id, created, area, ward FROM rows_of
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY row DESC) = 1
),
ended AS (
    SELECT *, lead(day) OVER (PARTITION BY id ORDER BY day, step) AS died FROM events
)
SELECT
    id, area, ward, status, day AS born, died, closed,
    CAST(created AS TIMESTAMP) AS local,
    CAST(floor((instant(CAST(closed AS TIMESTAMP)) - instant(CAST(created AS TIMESTAMP))) / 86400) AS BIGINT)
        AS days_to_close
FROM ended JOIN fixed USING (id)
WHERE NOT ends_with(status, '- Dup');

-- The complaints as they were known at the end of a day.
CREATE MACRO known(day) AS TABLE
    SELECT * FROM versions WHERE born <= day AND (died IS NULL OR died > day);
