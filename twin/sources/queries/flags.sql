-- The number of used rows with an anomaly, by location and flag.
SELECT location, flag, count(DISTINCT (order_id, event_type, ts, sequence)) AS rows_used
FROM events
WHERE reason IS NULL AND flag IS NOT NULL
GROUP BY location, flag
