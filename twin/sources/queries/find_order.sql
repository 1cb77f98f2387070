-- All rows of one order id at one location, or ('') at all: several locations can use the same id.
SELECT location, order_id, event_type, ts, sequence, lat, lon, progress, body, flag
FROM events
WHERE reason IS NULL AND order_id = :order_id AND (:location = '' OR location = :location)
