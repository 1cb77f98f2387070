-- A sample of a location's routes for its base map. Order ids are random, so sorting by them spreads it over the history.
SELECT body
FROM events
WHERE reason IS NULL AND location = :location AND event_type = 'driver_picked_up' AND body IS NOT NULL
ORDER BY order_id
LIMIT :most
