-- Orders per hour and location. An order counts in the hour in which it began.
SELECT location, date_trunc('HOUR', began) AS hour, count(*) AS orders
FROM lives
GROUP BY location, date_trunc('HOUR', began)
ORDER BY location, hour
