-- The orders that live longer than 4 hours, from first to last event: reading 4 hours beyond a range does not have them whole.
SELECT location, order_id, first_ts, last_ts
FROM lives
WHERE timestampdiff(MICROSECOND, first_ts, last_ts) > 14400000000
ORDER BY location, first_ts, order_id
