-- One row per delivery that counts (of a known creation, 0 to 4 hours long): the parts of its time, which add up to `total`, in
-- microseconds. The rules are those of twin/analysis/ledger.py: a later milestone that came first stands for those before it, and
-- where one is missing the whole gap is not_recorded. What a driver waits for food is no part of the order's time.
SELECT
  location,
  order_id,
  created,
  delivered,
  total,
  CASE WHEN started IS NOT NULL THEN to_started ELSE 0 END AS queue,
  CASE WHEN started IS NOT NULL AND finished IS NOT NULL THEN to_finished ELSE 0 END AS cook,
  CASE WHEN finished IS NOT NULL AND ready IS NOT NULL THEN to_ready ELSE 0 END AS pack,
  CASE WHEN collected THEN waits ELSE 0 END AS food_waits,
  CASE WHEN collected THEN to_road - waits ELSE 0 END AS hand_over,
  CASE WHEN on_road IS NOT NULL THEN to_delivered ELSE 0 END AS drive,
  CASE WHEN started IS NOT NULL THEN 0 ELSE to_started END
    + CASE WHEN started IS NOT NULL AND finished IS NOT NULL THEN 0 ELSE to_finished END
    + CASE WHEN finished IS NOT NULL AND ready IS NOT NULL THEN 0 ELSE to_ready END
    + CASE WHEN collected THEN 0 ELSE to_road END
    + CASE WHEN on_road IS NOT NULL THEN 0 ELSE to_delivered END AS not_recorded,
  CASE WHEN ready IS NOT NULL AND arrived IS NOT NULL AND picked_up IS NOT NULL
    THEN greatest(timestampdiff(MICROSECOND, least(arrived, picked_up), least(ready, picked_up)), 0)
  END AS driver_waits
FROM (
  SELECT
    location, order_id, created, started, finished, ready, arrived, picked_up, on_road, delivered,
    timestampdiff(MICROSECOND, created, delivered) AS total,
    timestampdiff(MICROSECOND, created, at_started) AS to_started,
    timestampdiff(MICROSECOND, at_started, at_finished) AS to_finished,
    timestampdiff(MICROSECOND, at_finished, at_ready) AS to_ready,
    timestampdiff(MICROSECOND, at_ready, at_road) AS to_road,
    timestampdiff(MICROSECOND, at_road, delivered) AS to_delivered,
    ready IS NOT NULL AND arrived IS NOT NULL AND picked_up IS NOT NULL AS collected,
    greatest(timestampdiff(MICROSECOND, at_ready, least(coalesce(arrived, at_ready), at_road)), 0) AS waits
  FROM (
    SELECT
      location, order_id, created, started, finished, ready, arrived, picked_up, delivered,
      coalesce(picked_up, pinged) AS on_road,
      -- least passes over what is missing
      greatest(created, least(started, finished, ready, coalesce(picked_up, pinged), delivered)) AS at_started,
      greatest(created, least(finished, ready, coalesce(picked_up, pinged), delivered)) AS at_finished,
      greatest(created, least(ready, coalesce(picked_up, pinged), delivered)) AS at_ready,
      greatest(created, least(coalesce(picked_up, pinged), delivered)) AS at_road
    FROM milestones
    WHERE created IS NOT NULL AND delivered IS NOT NULL AND created <= delivered
  )
)
WHERE total <= 14400000000
