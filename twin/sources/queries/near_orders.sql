-- Order ids similar to one that does not exist: with the same beginning, or one or two characters different.
SELECT order_id
FROM (
  SELECT DISTINCT order_id
  FROM orders
  WHERE startswith(lower(order_id), lower(:wanted))
    OR (abs(length(order_id) - length(:wanted)) <= 1 AND levenshtein(lower(order_id), lower(:wanted)) <= 2)
)
ORDER BY levenshtein(lower(order_id), lower(:wanted)), order_id
LIMIT :most
