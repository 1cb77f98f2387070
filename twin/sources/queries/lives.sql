-- One row per order and location of the whole source: its first and last event, and when it began.
SELECT
  location,
  order_id,
  min(ts) AS first_ts,
  max(ts) AS last_ts,
  coalesce(min(CASE WHEN event_type = 'order_created' THEN ts END), min(ts)) AS began
FROM events
WHERE reason IS NULL
GROUP BY location, order_id
