-- The decoded rows of all locations from a time on, those that are rejected among them. Which of them are new, recent_rows.py says.
SELECT *
FROM events
WHERE ts >= :from_ts
