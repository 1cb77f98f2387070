-- One row per order of all locations that began in [from_ts, to_ts): the times of its first and last event and of each milestone,
-- and the body of its first order_created. All rows of these orders lie in [reach_from_ts, reach_to_ts).
SELECT
  location,
  order_id,
  min(ts) AS first,
  max(ts) AS last,
  min(CASE WHEN event_type = 'order_created' THEN ts END) AS created,
  min(CASE WHEN event_type = 'gk_started' THEN ts END) AS started,
  min(CASE WHEN event_type = 'gk_finished' THEN ts END) AS finished,
  min(CASE WHEN event_type = 'gk_ready' THEN ts END) AS ready,
  min(CASE WHEN event_type = 'driver_arrived' THEN ts END) AS arrived,
  min(CASE WHEN event_type = 'driver_picked_up' THEN ts END) AS picked_up,
  min(CASE WHEN event_type = 'driver_ping' THEN ts END) AS pinged,
  min(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered,
  min(CASE WHEN event_type = 'order_cancelled' THEN ts END) AS cancelled,
  min_by(CASE WHEN event_type = 'order_created' THEN body END, CASE WHEN event_type = 'order_created' THEN ts END) AS body
FROM events
WHERE reason IS NULL AND ts >= :reach_from_ts AND ts < :reach_to_ts
GROUP BY location, order_id
HAVING coalesce(min(CASE WHEN event_type = 'order_created' THEN ts END), min(ts)) >= :from_ts
  AND coalesce(min(CASE WHEN event_type = 'order_created' THEN ts END), min(ts)) < :to_ts
