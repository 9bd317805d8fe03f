-- The first thirty days of October beside those of September.
WITH periods AS (
    SELECT
        place[:2] AS path,
        on_time,
        created >= instant(TIMESTAMP '2011-10-01') AS later
    FROM orders
    WHERE created >= instant(TIMESTAMP '2011-09-01') AND created < instant(TIMESTAMP '2011-10-31')
),
counted AS (
    SELECT
        path,
        count(*) FILTER (later) AS n,
        count(*) FILTER (NOT later) AS m,
        count(*) FILTER (later AND on_time = 'yes') AS a,
        count(*) FILTER (later AND on_time IN ('yes', 'no')) AS b,
        count(*) FILTER (NOT later AND on_time = 'yes') AS c,
        count(*) FILTER (NOT later AND on_time IN ('yes', 'no')) AS d
    FROM periods
    GROUP BY path
),
reduced AS (
    SELECT *, gcd(n - m, m) AS g, gcd(a * d - c * b, b * d) AS h, gcd(a * d - c * b, c * b) AS k FROM counted
)
SELECT
    path,
    CASE WHEN len(path) < 2 THEN 'remainder' ELSE 'target' END AS kind,
    {
        'count': {
            'now': n,
            'before': m,
            'difference': ratio(n - m, 1),
            'growth': CASE WHEN m > 0 THEN ratio((n - m) // g, m // g) END
        },
        'rate:on_time/judged': {
            'now': ratio(a, b),
            'before': ratio(c, d),
            'difference': CASE WHEN b > 0 AND d > 0 THEN ratio((a * d - c * b) // h, b * d // h) END,
            'growth': CASE WHEN b > 0 AND c > 0 THEN ratio((a * d - c * b) // k, c * b // k) END
        }
    } AS values
FROM reduced
ORDER BY path;
