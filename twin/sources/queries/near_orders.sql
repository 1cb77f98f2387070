-- Order ids like one that does not exist: begun alike, or mistyped by a character or two.
SELECT order_id
FROM (
  SELECT DISTINCT order_id
  FROM orders
  WHERE startswith(lower(order_id), lower(:wanted))
    OR (abs(length(order_id) - length(:wanted)) <= 1 AND levenshtein(lower(order_id), lower(:wanted)) <= 2)
)
ORDER BY levenshtein(lower(order_id), lower(:wanted)), order_id
LIMIT :most
