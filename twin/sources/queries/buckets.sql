-- The orders of `totals` by the minute, hour, day or week (from Monday) of UTC in which they began. A bucket without orders has no
-- row. Databricks' date_trunc returns a time with a zone.
SELECT
  bucket,
  count(*) AS orders,
  count(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS timed,
  sum(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS took_us
FROM (
  SELECT
    CASE :granularity
      WHEN 'minute' THEN CAST(date_trunc('MINUTE', began) AS TIMESTAMP_NTZ)
      WHEN 'hour' THEN CAST(date_trunc('HOUR', began) AS TIMESTAMP_NTZ)
      WHEN 'day' THEN CAST(date_trunc('DAY', began) AS TIMESTAMP_NTZ)
      ELSE CAST(date_trunc('WEEK', began) AS TIMESTAMP_NTZ)
    END AS bucket,
    timestampdiff(MICROSECOND, created, delivered) AS took
  FROM orders
  WHERE location = :location AND began >= :from_ts AND began < :to_ts
)
GROUP BY bucket
ORDER BY bucket
