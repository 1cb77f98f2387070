-- The delay ledger of the deliveries of one location that began in [from_ts, to_ts) and had arrived by known_ts: a row for all, or
-- by `:by` one for each hour or day of the kitchen's clock (`hour`, counted since 1970) or brand (`brand_id`). A row has the sums of
-- an `Account` of twin/analysis/ledger.py: `late` of `orders`; microseconds `total` and of each part; seconds `late_s` beyond the
-- target, `short_s` of promises shorter than usual, `usual_…`, and `made_…`, what a part made of late_s; orders `share_…`, `alone_…`
-- and `but_…` (late without that part as well).
-- In, as JSON: `:clock` as in usual_parts.sql. `:usual`, mean seconds of each part by hour: days from first_day to last_day have hours
-- of their own, other days those of the first week of 1970. `:sets`, the 128 sets of parts: `has_…` and the weight in the Shapley
-- value. That value is linear, so the sum over orders is taken first. `:same`, other ids of brands that share one name.
SELECT
  hour,
  brand_id,
  max(CASE WHEN members = 7 THEN orders END) AS orders,
  max(CASE WHEN members = 7 THEN late END) AS late,
  max(CASE WHEN members = 7 THEN total END) AS total,
  round(max(CASE WHEN members = 7 THEN seconds END), 6) AS late_s,
  round(max(CASE WHEN members = 7 THEN short END), 6) AS short_s,
  max(CASE WHEN members = 7 THEN queue END) AS queue,
  max(CASE WHEN members = 7 THEN cook END) AS cook,
  max(CASE WHEN members = 7 THEN pack END) AS pack,
  max(CASE WHEN members = 7 THEN food_waits END) AS food_waits,
  max(CASE WHEN members = 7 THEN hand_over END) AS hand_over,
  max(CASE WHEN members = 7 THEN drive END) AS drive,
  max(CASE WHEN members = 7 THEN not_recorded END) AS not_recorded,
  round(max(CASE WHEN members = 7 THEN usual_queue END), 6) AS usual_queue,
  round(max(CASE WHEN members = 7 THEN usual_cook END), 6) AS usual_cook,
  round(max(CASE WHEN members = 7 THEN usual_pack END), 6) AS usual_pack,
  round(max(CASE WHEN members = 7 THEN usual_food_waits END), 6) AS usual_food_waits,
  round(max(CASE WHEN members = 7 THEN usual_hand_over END), 6) AS usual_hand_over,
  round(max(CASE WHEN members = 7 THEN usual_drive END), 6) AS usual_drive,
  round(max(CASE WHEN members = 7 THEN usual_not_recorded END), 6) AS usual_not_recorded,
  round(sum(weight_queue * seconds), 6) AS made_queue,
  round(sum(weight_cook * seconds), 6) AS made_cook,
  round(sum(weight_pack * seconds), 6) AS made_pack,
  round(sum(weight_food_waits * seconds), 6) AS made_food_waits,
  round(sum(weight_hand_over * seconds), 6) AS made_hand_over,
  round(sum(weight_drive * seconds), 6) AS made_drive,
  round(sum(weight_not_recorded * seconds), 6) AS made_not_recorded,
  round(sum(CASE WHEN members = 0 THEN seconds END), 6) AS made_usual,
  round(sum(weight_queue * votes), 6) AS share_queue,
  round(sum(weight_cook * votes), 6) AS share_cook,
  round(sum(weight_pack * votes), 6) AS share_pack,
  round(sum(weight_food_waits * votes), 6) AS share_food_waits,
  round(sum(weight_hand_over * votes), 6) AS share_hand_over,
  round(sum(weight_drive * votes), 6) AS share_drive,
  round(sum(weight_not_recorded * votes), 6) AS share_not_recorded,
  sum(CASE WHEN members = 0 THEN votes END) AS share_usual,
  sum(CASE WHEN members = 1 AND has_queue = 1 THEN votes_alone END) AS alone_queue,
  sum(CASE WHEN members = 1 AND has_cook = 1 THEN votes_alone END) AS alone_cook,
  sum(CASE WHEN members = 1 AND has_pack = 1 THEN votes_alone END) AS alone_pack,
  sum(CASE WHEN members = 1 AND has_food_waits = 1 THEN votes_alone END) AS alone_food_waits,
  sum(CASE WHEN members = 1 AND has_hand_over = 1 THEN votes_alone END) AS alone_hand_over,
  sum(CASE WHEN members = 1 AND has_drive = 1 THEN votes_alone END) AS alone_drive,
  sum(CASE WHEN members = 1 AND has_not_recorded = 1 THEN votes_alone END) AS alone_not_recorded,
  sum(CASE WHEN members = 6 AND has_queue = 0 THEN votes END) AS but_queue,
  sum(CASE WHEN members = 6 AND has_cook = 0 THEN votes END) AS but_cook,
  sum(CASE WHEN members = 6 AND has_pack = 0 THEN votes END) AS but_pack,
  sum(CASE WHEN members = 6 AND has_food_waits = 0 THEN votes END) AS but_food_waits,
  sum(CASE WHEN members = 6 AND has_hand_over = 0 THEN votes END) AS but_hand_over,
  sum(CASE WHEN members = 6 AND has_drive = 0 THEN votes END) AS but_drive,
  sum(CASE WHEN members = 6 AND has_not_recorded = 0 THEN votes END) AS but_not_recorded
FROM (
  SELECT
    hour,
    brand_id,
    set_id,
    count(*) AS orders,
    count(CASE WHEN is_late THEN 1 END) AS late,
    sum(total) AS total,
    sum(CASE WHEN base > 0 THEN base ELSE 0 END) AS short,
    sum(queue) AS queue, sum(cook) AS cook, sum(pack) AS pack, sum(food_waits) AS food_waits, sum(hand_over) AS hand_over,
    sum(drive) AS drive, sum(not_recorded) AS not_recorded,
    sum(usual_queue) AS usual_queue, sum(usual_cook) AS usual_cook, sum(usual_pack) AS usual_pack,
    sum(usual_food_waits) AS usual_food_waits, sum(usual_hand_over) AS usual_hand_over, sum(usual_drive) AS usual_drive,
    sum(usual_not_recorded) AS usual_not_recorded,
    sum(CASE WHEN is_late AND beyond > 0 THEN beyond ELSE 0 END) AS seconds,
    -- late by half a minute, whatever rounding sums of floats have
    sum(CASE WHEN is_late AND beyond >= 29.999999 THEN 1 ELSE 0 END) AS votes,
    sum(CASE WHEN is_late AND beyond >= 29.999999 AND base < 29.999999 THEN 1 ELSE 0 END) AS votes_alone
  FROM (
    SELECT
      p.hour, p.brand_id, p.is_late, p.total, p.base, s.set_id,
      p.queue, p.cook, p.pack, p.food_waits, p.hand_over, p.drive, p.not_recorded,
      p.usual_queue, p.usual_cook, p.usual_pack, p.usual_food_waits, p.usual_hand_over, p.usual_drive, p.usual_not_recorded,
      CASE WHEN s.members = 7 THEN (p.total - :target_us) / CAST(1000000 AS DOUBLE)
        ELSE p.base
          + s.has_queue * (p.queue / CAST(1000000 AS DOUBLE) - p.usual_queue)
          + s.has_cook * (p.cook / CAST(1000000 AS DOUBLE) - p.usual_cook)
          + s.has_pack * (p.pack / CAST(1000000 AS DOUBLE) - p.usual_pack)
          + s.has_food_waits * (p.food_waits / CAST(1000000 AS DOUBLE) - p.usual_food_waits)
          + s.has_hand_over * (p.hand_over / CAST(1000000 AS DOUBLE) - p.usual_hand_over)
          + s.has_drive * (p.drive / CAST(1000000 AS DOUBLE) - p.usual_drive)
          + s.has_not_recorded * (p.not_recorded / CAST(1000000 AS DOUBLE) - p.usual_not_recorded)
      END AS beyond
    FROM (
      SELECT
        CASE :by WHEN 'hour' THEN o.hour WHEN 'day' THEN o.hour DIV 24 * 24 END AS hour,
        b.brand_id,
        o.total,
        o.total >= :target_us + 30000000 AS is_late,
        o.queue, o.cook, o.pack, o.food_waits, o.hand_over, o.drive, o.not_recorded,
        u.queue AS usual_queue, u.cook AS usual_cook, u.pack AS usual_pack, u.food_waits AS usual_food_waits,
        u.hand_over AS usual_hand_over, u.drive AS usual_drive, u.not_recorded AS usual_not_recorded,
        u.queue + u.cook + u.pack + u.food_waits + u.hand_over + u.drive + u.not_recorded
          - :target_us / CAST(1000000 AS DOUBLE) AS base
      FROM (
        SELECT
          location,
          order_id,
          total,
          queue, cook, pack, food_waits, hand_over, drive, not_recorded,
          (timestampdiff(MICROSECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', created) + ahead) DIV 3600000000 AS hour
        FROM order_parts
        INNER JOIN (
          SELECT change.since AS since, change.until AS until, change.ahead AS ahead
          FROM (SELECT 1 AS one)
          LATERAL VIEW explode(from_json(:clock, 'ARRAY<STRUCT<since: BIGINT, until: BIGINT, ahead: BIGINT>>')) AS change
        ) AS clock
          ON timestampdiff(MICROSECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', created) >= since
          AND timestampdiff(MICROSECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', created) < until
        WHERE location = :location AND created >= :from_ts AND created < :to_ts AND delivered <= :known_ts
      ) AS o
      LEFT JOIN (
        SELECT DISTINCT l.order_id AS order_id, coalesce(n.as_id, l.brand_id) AS brand_id
        FROM lines AS l
        LEFT JOIN (
          SELECT brand.id AS id, brand.as_id AS as_id
          FROM (SELECT 1 AS one)
          LATERAL VIEW explode(from_json(:same, 'ARRAY<STRUCT<id: STRING, as_id: STRING>>')) AS brand
        ) AS n ON n.id = l.brand_id
        WHERE :by = 'brand' AND l.location = :location AND l.began >= :from_ts AND l.began < :to_ts AND l.brand_id <> ''
      ) AS b ON b.order_id = o.order_id
      INNER JOIN (
        SELECT
          mean.hour AS hour,
          mean.queue AS queue, mean.cook AS cook, mean.pack AS pack, mean.food_waits AS food_waits,
          mean.hand_over AS hand_over, mean.drive AS drive, mean.not_recorded AS not_recorded
        FROM (SELECT 1 AS one)
        LATERAL VIEW explode(
          from_json(
            :usual,
            'ARRAY<STRUCT<hour: BIGINT, queue: DOUBLE, cook: DOUBLE, pack: DOUBLE, food_waits: DOUBLE, hand_over: DOUBLE, drive: DOUBLE,
            not_recorded: DOUBLE>>'
          )
        ) AS mean
      ) AS u
        ON u.hour = CASE WHEN o.hour DIV 24 BETWEEN :first_day AND :last_day THEN o.hour ELSE mod(o.hour, 168) END
    ) AS p
    INNER JOIN (
      SELECT
        one_set.set_id AS set_id,
        one_set.members AS members,
        one_set.has_queue AS has_queue, one_set.has_cook AS has_cook, one_set.has_pack AS has_pack,
        one_set.has_food_waits AS has_food_waits, one_set.has_hand_over AS has_hand_over, one_set.has_drive AS has_drive,
        one_set.has_not_recorded AS has_not_recorded
      FROM (SELECT 1 AS one)
      LATERAL VIEW explode(
        from_json(
          :sets,
          'ARRAY<STRUCT<set_id: BIGINT, members: BIGINT, has_queue: BIGINT, has_cook: BIGINT, has_pack: BIGINT, has_food_waits: BIGINT,
          has_hand_over: BIGINT, has_drive: BIGINT, has_not_recorded: BIGINT>>'
        )
      ) AS one_set
    ) AS s ON p.is_late OR s.members = 7
  )
  GROUP BY hour, brand_id, set_id
) AS sums
INNER JOIN (
  SELECT
    a_set.set_id AS id,
    a_set.members AS members,
    a_set.has_queue AS has_queue, a_set.has_cook AS has_cook, a_set.has_pack AS has_pack,
    a_set.has_food_waits AS has_food_waits, a_set.has_hand_over AS has_hand_over, a_set.has_drive AS has_drive,
    a_set.has_not_recorded AS has_not_recorded,
    a_set.weight_queue AS weight_queue, a_set.weight_cook AS weight_cook, a_set.weight_pack AS weight_pack,
    a_set.weight_food_waits AS weight_food_waits, a_set.weight_hand_over AS weight_hand_over,
    a_set.weight_drive AS weight_drive, a_set.weight_not_recorded AS weight_not_recorded
  FROM (SELECT 1 AS one)
  LATERAL VIEW explode(
    from_json(
      :sets,
      'ARRAY<STRUCT<set_id: BIGINT, members: BIGINT, has_queue: BIGINT, has_cook: BIGINT, has_pack: BIGINT, has_food_waits: BIGINT,
      has_hand_over: BIGINT, has_drive: BIGINT, has_not_recorded: BIGINT, weight_queue: DOUBLE, weight_cook: DOUBLE,
      weight_pack: DOUBLE, weight_food_waits: DOUBLE, weight_hand_over: DOUBLE, weight_drive: DOUBLE, weight_not_recorded: DOUBLE>>'
    )
  ) AS a_set
) AS weights ON weights.id = sums.set_id
GROUP BY hour, brand_id
ORDER BY hour, brand_id
