-- The cheapest query that shows that the source responds.
SELECT 1 AS ready
