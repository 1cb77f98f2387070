-- The orders of one location that began in [from_ts, to_ts): their number, outcomes, delivery times and revenue. Delivery times
-- over 4 hours or below zero are anomalies of the data: they count in `excluded` and not in `took_us` (microseconds).
SELECT
  count(*) AS orders,
  count(delivered) AS delivered,
  count(CASE WHEN delivered IS NULL THEN cancelled END) AS cancelled,
  count(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS timed,
  sum(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS took_us,
  count(CASE WHEN NOT took BETWEEN 0 AND 14400000000 THEN took END) AS excluded,
  (
    SELECT sum(revenue)
    FROM lines
    WHERE location = :location AND began >= :from_ts AND began < :to_ts
  ) AS revenue
FROM (
  SELECT delivered, cancelled, timestampdiff(MICROSECOND, created, delivered) AS took
  FROM orders
  WHERE location = :location AND began >= :from_ts AND began < :to_ts
)
