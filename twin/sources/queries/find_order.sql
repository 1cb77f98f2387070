-- Every row of one order, at whichever location; an id may be in use at several.
SELECT location, order_id, event_type, ts, sequence, lat, lon, progress, body, flag
FROM events
WHERE reason IS NULL AND order_id = :order_id
