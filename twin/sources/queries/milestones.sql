-- One row per order and location of the whole source: the first time of each milestone, so that copies of a row change nothing.
SELECT
  location,
  order_id,
  min(CASE WHEN event_type = 'order_created' THEN ts END) AS created,
  min(CASE WHEN event_type = 'gk_started' THEN ts END) AS started,
  min(CASE WHEN event_type = 'gk_finished' THEN ts END) AS finished,
  min(CASE WHEN event_type = 'gk_ready' THEN ts END) AS ready,
  min(CASE WHEN event_type = 'driver_arrived' THEN ts END) AS arrived,
  min(CASE WHEN event_type = 'driver_picked_up' THEN ts END) AS picked_up,
  min(CASE WHEN event_type = 'driver_ping' THEN ts END) AS pinged,
  min(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered
FROM events
WHERE reason IS NULL
GROUP BY location, order_id
