-- One row per order and brand in it: what brands and revenue are made of. A quantity that is not told is one, a price nothing;
-- items without a brand make a row of their own (brand_id '').
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
