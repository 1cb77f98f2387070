-- Events of one location in [from_ts, to_ts) in the order of time: the first `most` rows and whatever shares the last one's
-- time, so that no tie is torn and copies of a row come together. '' as `types` (else 'a,b') or `order_id` means all.
SELECT order_id, event_type, ts, sequence, lat, lon, progress, body, flag
FROM events
WHERE reason IS NULL AND location = :location AND ts >= :from_ts AND ts < :to_ts
  AND (:types = '' OR array_contains(split(:types, ','), event_type))
  AND (:order_id = '' OR order_id = :order_id)
  AND ts <= (
    SELECT max(ts)
    FROM (
      SELECT ts
      FROM events
      WHERE reason IS NULL AND location = :location AND ts >= :from_ts AND ts < :to_ts
        AND (:types = '' OR array_contains(split(:types, ','), event_type))
        AND (:order_id = '' OR order_id = :order_id)
      ORDER BY ts
      LIMIT :most
    )
  )
