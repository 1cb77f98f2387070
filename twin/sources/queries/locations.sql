-- One row per location: number of rows, time range, and the position of the kitchen. The first generation of the
-- feed has no kitchen position, so it is the median start of the routes. The radius is the 95th percentile of the distance to
-- the customers (equirectangular, metres; a degree of latitude is 111,195 m).
SELECT
  e.location,
  count(*) AS rows_used,
  min(e.ts) AS first_ts,
  max(e.ts) AS last_ts,
  max(CASE WHEN e.event_type = 'delivered' THEN e.ts END) AS last_delivered,
  max(k.lat) AS lat,
  max(k.lon) AS lon,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY CASE WHEN e.event_type = 'order_created' THEN
    111195 * sqrt(power(e.lat - k.lat, 2)
      + power(least(abs(e.lon - k.lon), 360 - abs(e.lon - k.lon)) * cos(radians(k.lat)), 2)) END) AS radius_m
FROM events AS e
LEFT JOIN (
  SELECT
    location,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY try_cast(get_json_object(body, '$.route_points[0][0]') AS DOUBLE)) AS lat,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY try_cast(get_json_object(body, '$.route_points[0][1]') AS DOUBLE)) AS lon
  FROM events
  WHERE reason IS NULL AND event_type = 'driver_picked_up'
  GROUP BY location
) AS k ON k.location = e.location
WHERE e.reason IS NULL
GROUP BY e.location
ORDER BY e.location
