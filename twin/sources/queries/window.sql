-- The rows of one location between two moments [from_ts, to_ts); the caller widens the window so that lifecycles are whole.
SELECT order_id, event_type, ts, sequence, lat, lon, progress, body, flag
FROM events
WHERE reason IS NULL AND location = :location AND ts >= :from_ts AND ts < :to_ts
