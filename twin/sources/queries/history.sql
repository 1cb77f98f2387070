-- One row per order of one location with an event in [from_ts, to_ts): the times of its first event and of each milestone.
-- Usual values are computed from these. The caller extends the range so that lifecycles are complete.
SELECT
  min(ts) AS first,
  min(CASE WHEN event_type = 'order_created' THEN ts END) AS created,
  min(CASE WHEN event_type = 'gk_started' THEN ts END) AS started,
  min(CASE WHEN event_type = 'gk_finished' THEN ts END) AS finished,
  min(CASE WHEN event_type = 'gk_ready' THEN ts END) AS ready,
  min(CASE WHEN event_type = 'driver_arrived' THEN ts END) AS arrived,
  min(CASE WHEN event_type = 'driver_picked_up' THEN ts END) AS picked_up,
  min(CASE WHEN event_type = 'driver_ping' THEN ts END) AS pinged,
  min(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered,
  min(CASE WHEN event_type = 'order_cancelled' THEN ts END) AS cancelled
FROM events
WHERE reason IS NULL AND location = :location AND ts >= :from_ts AND ts < :to_ts
GROUP BY order_id
