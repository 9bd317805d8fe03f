-- Wards by their on-time rate, month by month, with the ranks won or lost since the month before.
WITH months AS (
    SELECT unnest(generate_series(date_trunc('month', min(local)), date_trunc('month', max(local)), INTERVAL 1 MONTH)) AS step
    FROM orders
),
wards AS (SELECT DISTINCT place[:2] AS path FROM orders WHERE len(place) >= 2),
counted AS (
    SELECT
        step,
        path,
        count(id) AS volume,
        count(id) FILTER (on_time = 'yes') AS on_time,
        count(id) FILTER (on_time IN ('yes', 'no')) AS judged
    FROM months
    CROSS JOIN wards
    LEFT JOIN (SELECT *, place[:2] AS path, date_trunc('month', local) AS step FROM orders) AS orders USING (step, path)
    GROUP BY step, path
),
-- Rates of two wards are compared by multiplying across, so that nothing is rounded.
ranked AS (
    SELECT
        *,
        judged >= 250 AS stands,
        CASE WHEN stands THEN 1 + (
            SELECT count(*) FROM counted AS other
            WHERE other.step = counted.step AND other.judged >= 250
              AND (other.on_time * counted.judged > counted.on_time * other.judged
                OR (other.on_time * counted.judged = counted.on_time * other.judged AND other.volume > counted.volume))
        ) END AS rank,
        CASE WHEN stands THEN (
            SELECT count(*) FROM counted AS other
            WHERE other.step = counted.step AND other.judged >= 250
              AND (other.on_time * counted.judged < counted.on_time * other.judged
                OR (other.on_time * counted.judged = counted.on_time * other.judged AND other.volume < counted.volume))
        ) END AS behind,
        (SELECT count(*) FROM counted AS other WHERE other.step = counted.step AND other.judged >= 250) AS standing
    FROM counted
)
SELECT
    path,
    time_of(step) AS time,
    rank,
    lag(rank) OVER (PARTITION BY path ORDER BY step) - rank AS places,
    CASE WHEN judged > 0 THEN {
        'num': 100 * on_time // gcd(100 * on_time, judged),
        'den': judged // gcd(100 * on_time, judged)
    } END AS score,
    judged,
    volume,
    MAP {} AS rates,
    CASE WHEN stands THEN ratio(behind, standing - 1) END AS percentile
FROM ranked
ORDER BY step, rank;
