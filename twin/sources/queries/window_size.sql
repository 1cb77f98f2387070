-- How many rows of one location there are in [from_ts, to_ts), and the characters of their bodies.
SELECT count(*) AS events, coalesce(sum(length(body)), 0) AS bodies
FROM events
WHERE reason IS NULL AND location = :location AND ts >= :from_ts AND ts < :to_ts
