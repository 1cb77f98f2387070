-- A sample of a location's routes for its base map: at most `most`, and no more than have `most_bytes` together. Order ids are
-- random, so sorting by them spreads it over the history.
SELECT body
FROM (
  SELECT body, sum(bit_length(body)) OVER (ORDER BY order_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS bits
  FROM (
    SELECT order_id, body
    FROM events
    WHERE reason IS NULL AND location = :location AND event_type = 'driver_picked_up' AND body IS NOT NULL
    ORDER BY order_id
    LIMIT :most
  )
)
WHERE bits DIV 8 <= :most_bytes
