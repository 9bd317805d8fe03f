-- Territory by department: who handles what of each community, and how much of it in time.
SELECT
    place[:3] AS path,
    len(place) < 3 AS remainder,
    { 'department': department } AS by,
    { 'count': count(*), 'rate:in_time/count': ratio(count(*) FILTER (in_time = 'yes'), count(*)) } AS values
FROM orders
GROUP BY path, remainder, department
ORDER BY path, department;
