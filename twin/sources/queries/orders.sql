-- One row per order and location of the whole source, from which aggregates over ranges are computed. An order belongs to the
-- range that contains `began`. `items` is the body of its first order_created. Milestones are first times, so that copies of a
-- row change nothing.
SELECT
  location,
  order_id,
  coalesce(min(CASE WHEN event_type = 'order_created' THEN ts END), min(ts)) AS began,
  min(CASE WHEN event_type = 'order_created' THEN ts END) AS created,
  min(CASE WHEN event_type = 'gk_started' THEN ts END) AS started,
  min(CASE WHEN event_type IN ('gk_finished', 'gk_ready') THEN ts END) AS ready,
  min(CASE WHEN event_type IN ('driver_picked_up', 'driver_ping') THEN ts END) AS on_road,
  min(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered,
  min(CASE WHEN event_type = 'order_cancelled' THEN ts END) AS cancelled,
  min_by(CASE WHEN event_type = 'order_created' THEN body END, CASE WHEN event_type = 'order_created' THEN ts END) AS items
FROM events
WHERE reason IS NULL
GROUP BY location, order_id
