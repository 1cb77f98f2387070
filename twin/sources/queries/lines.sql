-- One row per order and brand, from which brands and revenue are computed. A missing quantity counts as 1 and a missing price
-- as 0, and so does one that no kitchen has (the limits are those of timeline/bodies.py); items without a brand have a row of
-- their own (brand_id '').
SELECT
  location,
  order_id,
  began,
  brand_id,
  max(created) AS created,
  max(delivered) AS delivered,
  sum(revenue) AS revenue
FROM (
  SELECT
    location,
    order_id,
    began,
    created,
    delivered,
    coalesce(line.brand_id, '') AS brand_id,
    CASE WHEN line.qty BETWEEN 0 AND 10000 THEN line.qty ELSE 1 END
      * CASE WHEN line.price BETWEEN -100000 AND 100000 THEN line.price ELSE 0 END AS revenue
  FROM orders
  LATERAL VIEW explode(from_json(get_json_object(items, '$.items'), 'ARRAY<STRUCT<brand_id: STRING, price: DOUBLE, qty: DOUBLE>>')) AS line
)
GROUP BY location, order_id, began, brand_id
