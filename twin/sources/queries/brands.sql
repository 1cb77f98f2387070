-- The brands in the orders of one location that began in [from_ts, to_ts). An order counts for each of its brands, revenue is
-- each brand's own. `earlier` and `later` are its orders in the two halves of the kitchen's `kitchen` orders, in the order of
-- their beginning; the middle one of an odd number is in neither.
SELECT
  pairs.brand_id AS brand_id,
  count(*) AS orders,
  sum(pairs.revenue) AS revenue,
  count(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS timed,
  sum(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS took_us,
  count(CASE WHEN NOT took BETWEEN 0 AND 14400000000 THEN took END) AS excluded,
  count(CASE WHEN number <= floor(kitchen / 2) THEN 1 END) AS earlier,
  count(CASE WHEN number > kitchen - floor(kitchen / 2) THEN 1 END) AS later,
  max(kitchen) AS kitchen
FROM (
  SELECT order_id, brand_id, sum(revenue) AS revenue
  FROM lines
  WHERE location = :location AND began >= :from_ts AND began < :to_ts AND brand_id <> ''
  GROUP BY order_id, brand_id
) AS pairs
JOIN (
  SELECT
    order_id,
    timestampdiff(MICROSECOND, created, delivered) AS took,
    row_number() OVER (ORDER BY began, order_id) AS number,
    count(*) OVER () AS kitchen
  FROM orders
  WHERE location = :location AND began >= :from_ts AND began < :to_ts
) AS ranged ON ranged.order_id = pairs.order_id
GROUP BY pairs.brand_id
ORDER BY orders DESC, revenue DESC, brand_id
