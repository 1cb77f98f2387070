-- How many times of each kind there are (queries/timed.sql), and how many texts are still to be read.
SELECT zoned, count(*) AS rows_read, count(CASE WHEN reason IS NULL OR reason LIKE 'time with%' THEN 1 END) AS usable, count(unread) AS unread
FROM events
GROUP BY zoned
