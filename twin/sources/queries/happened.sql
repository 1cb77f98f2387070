-- The rows of all locations in [from_ts, to_ts), without their bodies.
SELECT location, order_id, event_type, ts, sequence, lat, lon, progress
FROM events
WHERE reason IS NULL AND ts >= :from_ts AND ts < :to_ts
