-- How many rows have a usable time of each form (queries/timed.sql), and how many texts are still to be read.
SELECT form, count(CASE WHEN reason IS NULL OR reason LIKE 'time with%' THEN 1 END) AS usable, count(unread) AS unread
FROM events
GROUP BY form
