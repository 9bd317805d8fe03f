-- What the cleaning and the questions of all cities share. The table `zone` is made by answers.py.

-- A trimmed value; NULL where it is spelt as missing.
CREATE MACRO value_of(text) AS
    CASE WHEN trim(text) NOT IN ('', '-', '不详') THEN trim(text) END;

-- '09' and '9.0' as '9'.
CREATE MACRO whole_number(text) AS
    CAST(CAST(CAST(text AS DECIMAL(18, 3)) AS BIGINT) AS VARCHAR);

-- The levels before the first missing one.
CREATE MACRO path_of(levels) AS
    levels[1 : coalesce(list_min([i FOR i IN generate_series(1, len(levels)) IF levels[i] IS NULL]) - 1, len(levels))];

-- Whether a level stands below a missing one.
CREATE MACRO is_cut(levels) AS
    len(path_of(levels)) < len([level FOR level IN levels IF level IS NOT NULL]);

-- Degrees in 1e-7 degrees.
CREATE MACRO e7(degrees) AS
    CAST(round(CAST(degrees AS DECIMAL(20, 12)) * 10000000) AS BIGINT);

-- A local time as seconds since 1970-01-01T00:00:00Z: the earlier instant of two, forward from a gap.
CREATE MACRO instant(local_time) AS
    epoch_us(local_time) // 1000000
    - (SELECT max_by(zone.seconds, zone.local_from) FROM zone WHERE zone.local_from <= local_time);

-- What the wall clock shows at an instant.
CREATE MACRO wall_clock(seconds_since) AS
    make_timestamp((seconds_since
        + (SELECT max_by(zone.seconds, zone.instant_from) FROM zone WHERE zone.instant_from <= seconds_since)) * 1000000);

-- Which local times are doubled or skipped by a change of the clock: 'ambiguous', 'skipped' or NULL.
CREATE MACRO odd_time(local_time) AS
    (SELECT any_value(zone.odd) FROM zone WHERE local_time >= zone.odd_from AND local_time < zone.odd_until);

-- An instant in local time with its offset.
CREATE MACRO rfc3339(seconds_since) AS (
    SELECT strftime(make_timestamp((seconds_since + seconds) * 1000000), '%Y-%m-%dT%H:%M:%S')
        || CASE WHEN seconds < 0 THEN '-' ELSE '+' END
        || printf('%02d:%02d', abs(seconds) // 3600, abs(seconds) // 60 % 60)
    FROM (SELECT max_by(zone.seconds, zone.instant_from) AS seconds
          FROM zone WHERE zone.instant_from <= seconds_since));

-- The local start of a step as `time`.
CREATE MACRO time_of(step) AS rfc3339(instant(step));

CREATE MACRO ratio(numerator, denominator) AS
    {'num': numerator, 'den': denominator};

CREATE MACRO mean_of(measure) AS
    {'sum': coalesce(sum(measure), 0), 'count': count(measure)};

-- The smallest value whose cumulative share reaches `percent`.
CREATE MACRO quantile_of(measure, percent) AS
    list_sort(list(measure) FILTER (WHERE measure IS NOT NULL))
        [greatest((percent * count(measure) + 99) // 100, 1)];
