-- What every location did in each hour of UTC that ends in (from_ts, to_ts]: orders created, deliveries that count (0 to 4 hours
-- long), those of them that took at least late_us microseconds, and the sum of what they took. An hour holds what happened after
-- its begin until its end, itself included, so that its figures are those of a kitchen's page at its end.
SELECT
  location,
  CAST(date_trunc('HOUR', timestampadd(MICROSECOND, -1, at)) AS TIMESTAMP_NTZ) AS hour,
  count(CASE WHEN took IS NULL THEN at END) AS orders,
  count(took) AS timed,
  count(CASE WHEN took >= :late_us THEN took END) AS late,
  sum(took) AS took_us
FROM (
  SELECT location, created AS at, CAST(NULL AS BIGINT) AS took
  FROM orders
  WHERE created > :from_ts AND created <= :to_ts
  UNION ALL
  SELECT location, delivered AS at, timestampdiff(MICROSECOND, created, delivered) AS took
  FROM orders
  WHERE delivered > :from_ts AND delivered <= :to_ts AND timestampdiff(MICROSECOND, created, delivered) BETWEEN 0 AND 14400000000
)
GROUP BY location, CAST(date_trunc('HOUR', timestampadd(MICROSECOND, -1, at)) AS TIMESTAMP_NTZ)
ORDER BY location, hour
