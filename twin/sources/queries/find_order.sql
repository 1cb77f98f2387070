-- All rows of one order id at all locations: several locations can use the same id.
SELECT location, order_id, event_type, ts, sequence, lat, lon, progress, body, flag
FROM events
WHERE reason IS NULL AND order_id = :order_id
