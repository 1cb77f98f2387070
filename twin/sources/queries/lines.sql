-- One row per order and brand, from which brands and revenue are computed. A missing quantity counts as 1 and a missing price
-- as 0, and so does one that no kitchen has (the limits are those of timeline/bodies.py); items without a brand have a row of
-- their own (brand_id ''). Items are taken apart as texts and asked by paths: read as structs, Spark takes the last of two equal
-- names and no number that is written as text, and nothing at all of a list in which one item is none.
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
    coalesce(brand_id, '') AS brand_id,
    CASE WHEN qty BETWEEN 0 AND 10000 THEN qty ELSE 1 END
      * CASE WHEN price BETWEEN -100000 AND 100000 THEN price ELSE 0 END AS revenue
  FROM (
    SELECT
      location,
      order_id,
      began,
      created,
      delivered,
      get_json_object(item, '$.brand_id') AS brand_id,
      try_cast(get_json_object(item, '$.price') AS DOUBLE) AS price,
      try_cast(get_json_object(item, '$.qty') AS DOUBLE) AS qty
    FROM orders
    LATERAL VIEW explode(from_json(get_json_object(items, '$.items'), 'ARRAY<STRING>')) AS item
  )
)
GROUP BY location, order_id, began, brand_id
