-- The orders of `totals` by the minute, hour, day or week (from Monday) of UTC in which they began. A bucket without orders has no
-- row.
SELECT
  bucket,
  count(*) AS orders,
  count(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS timed,
  sum(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS took_us
FROM (
  SELECT
    CASE :granularity
      WHEN 'minute' THEN date_trunc('MINUTE', began)
      WHEN 'hour' THEN date_trunc('HOUR', began)
      WHEN 'day' THEN date_trunc('DAY', began)
      ELSE date_trunc('WEEK', began)
    END AS bucket,
    timestampdiff(MICROSECOND, created, delivered) AS took
  FROM orders
  WHERE location = :location AND began >= :from_ts AND began < :to_ts
)
GROUP BY bucket
ORDER BY bucket
