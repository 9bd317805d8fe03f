-- The city's own judgement beside the rule: two complaints or more about one address within 30 days of each other.
WITH gaps AS (
    SELECT
        place,
        id,
        created,
        duplicate,
        coalesce(CAST(local AS DATE) - lag(CAST(local AS DATE)) OVER address < 30, false) AS after,
        coalesce(lead(CAST(local AS DATE)) OVER address - CAST(local AS DATE) < 30, false) AS before
    FROM orders
    WHERE len(place) = 3
    WINDOW address AS (PARTITION BY place ORDER BY created, id)
),
runs AS (
    SELECT *, count(*) FILTER (NOT after) OVER (PARTITION BY place ORDER BY created, id) AS run
    FROM gaps
    WHERE after OR before
),
clusters AS (
    SELECT count(*) AS size, count(*) FILTER (duplicate = 'yes') AS found FROM runs GROUP BY place, run
)
SELECT
    count(*) AS clusters,
    CAST(sum(size) AS BIGINT) AS orders,
    (SELECT count(*) FROM orders WHERE duplicate = 'yes') AS judged,
    CAST(sum(found) AS BIGINT) AS found,
    count(*) FILTER (found = 0) AS without
FROM clusters;
