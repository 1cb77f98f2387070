-- Orders per hour and location. An order counts in the hour in which it began. Databricks' date_trunc returns a time with a zone.
SELECT location, CAST(date_trunc('HOUR', began) AS TIMESTAMP_NTZ) AS hour, count(*) AS orders
FROM lives
GROUP BY location, CAST(date_trunc('HOUR', began) AS TIMESTAMP_NTZ)
ORDER BY location, hour
