-- The brands of the orders of one location that began in [from_ts, to_ts). An order counts for each of its brands; revenue is
-- that of the brand alone. `kitchen` is the number of all orders of the location. Sorted by beginning (ties by id), they form
-- two halves, without the middle one of an odd number: `earlier` and `later` count the brand's orders in each. The first half
-- ends with the order low_began, low_id; the second begins with high_began, high_id.
SELECT
  brand_id,
  count(*) AS orders,
  sum(revenue) AS revenue,
  count(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS timed,
  sum(CASE WHEN took BETWEEN 0 AND 14400000000 THEN took END) AS took_us,
  count(CASE WHEN NOT took BETWEEN 0 AND 14400000000 THEN took END) AS excluded,
  count(CASE WHEN began < low_began OR (began = low_began AND order_id <= low_id) THEN 1 END) AS earlier,
  count(CASE WHEN began > high_began OR (began = high_began AND order_id >= high_id) THEN 1 END) AS later,
  max(kitchen) AS kitchen
FROM (
  SELECT brand_id, order_id, began, revenue, timestampdiff(MICROSECOND, created, delivered) AS took
  FROM lines
  WHERE location = :location AND began >= :from_ts AND began < :to_ts AND brand_id <> ''
) AS pairs
CROSS JOIN (
  SELECT
    max(kitchen) AS kitchen,
    max(CASE WHEN number = floor(kitchen / 2) THEN began END) AS low_began,
    max(CASE WHEN number = floor(kitchen / 2) THEN order_id END) AS low_id,
    max(CASE WHEN number = kitchen - floor(kitchen / 2) + 1 THEN began END) AS high_began,
    max(CASE WHEN number = kitchen - floor(kitchen / 2) + 1 THEN order_id END) AS high_id
  FROM (
    SELECT began, order_id, row_number() OVER (ORDER BY began, order_id) AS number, count(*) OVER () AS kitchen
    FROM orders
    WHERE location = :location AND began >= :from_ts AND began < :to_ts
  )
) AS halves
GROUP BY brand_id
ORDER BY orders DESC, revenue DESC, brand_id
