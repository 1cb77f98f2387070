-- The parts of the middle half, by their length, of the deliveries of one location that began in [from_ts, to_ts), summed: what is
-- usual where no other day tells it. Those as long as the first or the last of the middle half belong to it.
SELECT
  count(*) AS orders,
  sum(queue) AS queue,
  sum(cook) AS cook,
  sum(pack) AS pack,
  sum(food_waits) AS food_waits,
  sum(hand_over) AS hand_over,
  sum(drive) AS drive,
  sum(not_recorded) AS not_recorded
FROM order_parts
CROSS JOIN (
  SELECT
    max(CASE WHEN number = deliveries DIV 4 + 1 THEN total END) AS shortest,
    max(CASE WHEN number = deliveries - deliveries DIV 4 THEN total END) AS longest
  FROM (
    SELECT total, row_number() OVER (ORDER BY total) AS number, count(*) OVER () AS deliveries
    FROM order_parts
    WHERE location = :location AND created >= :from_ts AND created < :to_ts
  )
) AS middle
WHERE location = :location AND created >= :from_ts AND created < :to_ts AND total BETWEEN shortest AND longest
