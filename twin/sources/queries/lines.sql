-- One row per order and brand, from which brands and revenue are computed. A missing quantity counts as 1 and a missing price
-- as 0; items without a brand have a row of their own (brand_id '').
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
    coalesce(line.qty, 1) * coalesce(line.price, 0) AS revenue
  FROM orders
  LATERAL VIEW explode(from_json(get_json_object(items, '$.items'), 'ARRAY<STRUCT<brand_id: STRING, price: DOUBLE, qty: DOUBLE>>')) AS line
)
GROUP BY location, order_id, began, brand_id
