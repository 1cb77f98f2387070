-- Which location cooked for which brand: the orders that began in [from_ts, to_ts) with an item of the brand. An order counts for
-- each of its brands.
SELECT location, brand_id, count(*) AS orders
FROM lines
WHERE began >= :from_ts AND began < :to_ts AND brand_id <> ''
GROUP BY location, brand_id
ORDER BY location, brand_id
