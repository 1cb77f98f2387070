-- Orders per hour and location. An order counts in the hour of its order_created or, without one, of its first event.
SELECT location, date_trunc('HOUR', started) AS hour, count(*) AS orders
FROM (
  SELECT
    location,
    order_id,
    coalesce(min(CASE WHEN event_type = 'order_created' THEN ts END), min(ts)) AS started
  FROM events
  WHERE reason IS NULL
  GROUP BY location, order_id
)
GROUP BY location, date_trunc('HOUR', started)
ORDER BY location, hour
