-- Four complaints or more about one address, any four of which that follow each other lie within seven days.
WITH numbered AS (
    SELECT
        place,
        CAST(local AS DATE) AS day,
        created,
        row_number() OVER address AS number,
        lead(CAST(local AS DATE), 3) OVER address - CAST(local AS DATE) < 7 AS starts
    FROM orders
    WHERE len(place) = 3
    WINDOW address AS (PARTITION BY place ORDER BY created, id)
),
-- Whether a window holds the complaint, and whether one holds it together with the one before.
marked AS (
    SELECT
        *,
        coalesce(bool_or(starts) OVER (PARTITION BY place ORDER BY number ROWS 3 PRECEDING), false) AS held,
        coalesce(bool_or(starts) OVER (
            PARTITION BY place ORDER BY number ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING), false) AS joined
    FROM numbered
),
runs AS (
    SELECT *, count(*) FILTER (held AND NOT joined) OVER (PARTITION BY place ORDER BY number) AS run
    FROM marked
    WHERE held
)
SELECT place AS path, rfc3339(min(created)) AS 'from', rfc3339(max(created) + 1) AS until, count(*) AS size
FROM runs
GROUP BY place, run
ORDER BY size DESC, path, min(created);
