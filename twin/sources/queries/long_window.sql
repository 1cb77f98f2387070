-- The rows of one location beyond [near_from_ts, near_to_ts) of the orders that are alive in [from_ts, to_ts). All of them lie
-- in [reach_from_ts, reach_to_ts).
SELECT order_id, event_type, ts, sequence, lat, lon, progress, body, flag
FROM events
WHERE reason IS NULL AND location = :location AND ts >= :reach_from_ts AND ts < :reach_to_ts
  AND (ts < :near_from_ts OR ts >= :near_to_ts)
  AND order_id IN (SELECT order_id FROM lives WHERE location = :location AND first_ts < :to_ts AND last_ts >= :from_ts)
