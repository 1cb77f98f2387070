-- How many rows of one location a range takes, and the bytes of their bodies: those of window.sql in [near_from_ts,
-- near_to_ts) and those of long_window.sql.
SELECT count(*) AS events, coalesce(sum(bit_length(body)), 0) DIV 8 AS bodies
FROM events
WHERE reason IS NULL AND location = :location
  AND (
    (ts >= :near_from_ts AND ts < :near_to_ts)
    OR (
      ts >= :reach_from_ts AND ts < :reach_to_ts
      AND order_id IN (SELECT order_id FROM lives WHERE location = :location AND first_ts < :to_ts AND last_ts >= :from_ts)
    )
  )
