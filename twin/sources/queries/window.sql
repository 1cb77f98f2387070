-- The rows of one location in [from_ts, to_ts). What is missing of orders that live longer: queries/long_window.sql.
SELECT order_id, event_type, ts, sequence, lat, lon, progress, body, flag
FROM events
WHERE reason IS NULL AND location = :location AND ts >= :from_ts AND ts < :to_ts
