-- The later lives of ids that are used again: an id that is created more than 12 hours after its event before that begins another
-- order. `life` is 2 for the second one; it ends before `next_began`, NULL for the last one.
SELECT
  location,
  order_id,
  ts AS began,
  lead(ts) OVER (PARTITION BY location, order_id ORDER BY ts) AS next_began,
  1 + row_number() OVER (PARTITION BY location, order_id ORDER BY ts) AS life
FROM (
  SELECT
    e.location,
    e.order_id,
    e.event_type,
    e.ts,
    lag(e.ts) OVER (
      PARTITION BY e.location, e.order_id
      ORDER BY e.ts, CASE WHEN e.event_type = 'order_created' THEN 0 ELSE 1 END
    ) AS before_ts
  FROM events AS e
  INNER JOIN lives AS l ON l.location = e.location AND l.order_id = e.order_id
  WHERE e.reason IS NULL AND timestampdiff(MICROSECOND, l.first_ts, l.last_ts) > 43200000000
)
WHERE event_type = 'order_created' AND timestampdiff(MICROSECOND, before_ts, ts) > 43200000000
ORDER BY location, order_id, began
