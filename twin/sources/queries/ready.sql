-- The least that shows that the source answers.
SELECT 1 AS ready
