-- Every raw row, accounted for: rows by location and reason. A row repeated (same order, type, time and sequence at the same
-- location) counts once as used, its copies as duplicates.
SELECT
  location,
  reason,
  count(*) AS rows_read,
  CASE WHEN reason IS NULL THEN count(DISTINCT (order_id, event_type, ts, sequence)) ELSE 0 END AS rows_used
FROM events
GROUP BY location, reason
