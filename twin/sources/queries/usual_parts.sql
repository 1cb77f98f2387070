-- The parts of the deliveries of one location that began in [from_ts, to_ts), summed by the hour of the kitchen's clock in which
-- they began, counted since 1970. `:clock` says, as JSON, how far that clock is ahead of the data's time, in microseconds.
SELECT
  (timestampdiff(MICROSECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', o.created) + c.ahead) DIV 3600000000 AS hour,
  count(*) AS orders,
  sum(o.queue) AS queue,
  sum(o.cook) AS cook,
  sum(o.pack) AS pack,
  sum(o.food_waits) AS food_waits,
  sum(o.hand_over) AS hand_over,
  sum(o.drive) AS drive,
  sum(o.not_recorded) AS not_recorded
FROM order_parts AS o
INNER JOIN (
  SELECT change.since AS since, change.until AS until, change.ahead AS ahead
  FROM (SELECT 1 AS one)
  LATERAL VIEW explode(from_json(:clock, 'ARRAY<STRUCT<since: BIGINT, until: BIGINT, ahead: BIGINT>>')) AS change
) AS c
  ON timestampdiff(MICROSECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', o.created) >= c.since
  AND timestampdiff(MICROSECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', o.created) < c.until
WHERE o.location = :location AND o.created >= :from_ts AND o.created < :to_ts
GROUP BY (timestampdiff(MICROSECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', o.created) + c.ahead) DIV 3600000000
ORDER BY hour
