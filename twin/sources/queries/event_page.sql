-- Events of one location in [from_ts, to_ts): the first `most` rows by time and all rows with the time of the last one, so that
-- events of the same time and copies of a row are on one page. `types` is a list like 'a,b'; '' as `types` or `order_id` is all.
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
