-- The highest number of orders that one location cooked at once: its demonstrated capacity. Cooking lasts from the first
-- milestone of Cooking or later to the first of Ready or later, as in the pipeline; more than 4 hours is an anomaly of the data.
SELECT max(cooking) AS most
FROM (
  SELECT sum(step) OVER (ORDER BY at, step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cooking
  FROM (
    SELECT least(started, ready, on_road, delivered) AS at, 1 AS step, location, least(ready, on_road, delivered, cancelled) AS other
    FROM orders
    UNION ALL
    SELECT least(ready, on_road, delivered, cancelled) AS at, -1 AS step, location, least(started, ready, on_road, delivered) AS other
    FROM orders
  )
  WHERE location = :location AND abs(timestampdiff(MICROSECOND, at, other)) BETWEEN 1 AND 14400000000
    AND timestampdiff(MICROSECOND, at, other) * step > 0
)
