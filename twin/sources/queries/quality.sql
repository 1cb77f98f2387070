-- The number of all raw rows by location and reason. A repeated row (same location, order, type, time and sequence) counts once
-- as used; its copies are duplicates.
SELECT
  location,
  reason,
  count(*) AS rows_read,
  CASE WHEN reason IS NULL THEN count(DISTINCT (order_id, event_type, ts, sequence)) ELSE 0 END AS rows_used
FROM events
GROUP BY location, reason
