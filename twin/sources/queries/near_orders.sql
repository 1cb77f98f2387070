-- Order ids similar to one that does not exist: with the same beginning, or one or two characters different. Compared are those with
-- an event in [from_ts, to_ts), of one location or ('') of all; similar_orders.py chooses a range with so many orders and no more.
SELECT order_id
FROM (
  SELECT DISTINCT order_id
  FROM events
  WHERE reason IS NULL AND (:location = '' OR location = :location) AND ts >= :from_ts AND ts < :to_ts
    AND (
      startswith(lower(order_id), lower(:wanted))
      OR (abs(length(order_id) - length(:wanted)) <= 1 AND levenshtein(lower(order_id), lower(:wanted)) <= 2)
    )
)
ORDER BY levenshtein(lower(order_id), lower(:wanted)), order_id
LIMIT :most
