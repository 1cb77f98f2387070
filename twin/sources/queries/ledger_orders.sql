-- The deliveries of one location that began in [from_ts, to_ts), with the parts of their time: see order_parts.sql.
SELECT
  order_id,
  created,
  total,
  queue,
  cook,
  pack,
  food_waits,
  hand_over,
  drive,
  not_recorded,
  driver_waits
FROM order_parts
WHERE location = :location AND created >= :from_ts AND created < :to_ts
ORDER BY order_id
