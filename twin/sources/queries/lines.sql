-- One row per line of an order: what brands and revenue are made of. A quantity that is not told is one, a price nothing.
SELECT
  location,
  order_id,
  began,
  created,
  delivered,
  line.brand_id AS brand_id,
  coalesce(line.qty, 1) * coalesce(line.price, 0) AS revenue
FROM orders
LATERAL VIEW explode(from_json(get_json_object(items, '$.items'), 'ARRAY<STRUCT<brand_id: STRING, price: DOUBLE, qty: DOUBLE>>')) AS line
