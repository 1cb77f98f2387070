-- Written by `python -m scripts.pipelines` from twin/sources/queries/*.sql: change those, never this file.
-- docs/databricks.md says what these tables are for. From the pipeline's configuration:
--   twin.catalog: the catalog of the raw table
--   twin.schema: its schema
--   twin.table: its name
--   twin.location: its column with the location: location, or location_id
--   twin.other_location: its column with the location where that has none: gk_id, or the same
--   twin.times: naive or instants, as TWIN_TIMES says it of files, or auto
--   twin.dates: day-first or month-first, as TWIN_DATES says it of files, or auto
CREATE OR REFRESH MATERIALIZED VIEW twin_times
COMMENT 'Usable and unread times by their form'
AS
WITH events AS (
  SELECT location, order_id, event_type, ts, form, unread, sequence, lat, lon, progress, body, reason, flag
  FROM twin_events
)
SELECT form, count(CASE WHEN reason IS NULL OR reason LIKE 'time with%' THEN 1 END) AS usable, count(unread) AS unread
FROM events
GROUP BY form;

CREATE OR REFRESH MATERIALIZED VIEW twin_quality
COMMENT 'All rows by location and reason'
AS
WITH kind AS (
  SELECT CASE
    WHEN '${twin.times}' <> 'auto' OR naive = 0 OR instants = 0 THEN ''
    WHEN instants > naive THEN 'naive' ELSE 'instant' END AS aside
  FROM (
    SELECT
      coalesce(sum(CASE WHEN form = 'naive' THEN usable END), 0) AS naive,
      coalesce(sum(CASE WHEN form = 'instant' THEN usable END), 0) AS instants
    FROM twin_times
  )
),
events AS (
  SELECT e.location, e.order_id, e.event_type, e.ts, e.form, e.unread, e.sequence, e.lat, e.lon, e.progress, e.body, e.flag,
    coalesce(e.reason, CASE WHEN e.form = k.aside THEN CASE e.form WHEN 'instant' THEN 'time with a zone, most have none: set TWIN_TIMES' WHEN 'naive' THEN 'time without a zone, most have one: set TWIN_TIMES' END END) AS reason
  FROM twin_events AS e
  CROSS JOIN kind AS k
)
SELECT
  location,
  reason,
  count(*) AS rows_read,
  CASE WHEN reason IS NULL THEN count(DISTINCT (order_id, event_type, ts, sequence)) ELSE 0 END AS rows_used
FROM events
GROUP BY location, reason;

CREATE OR REFRESH MATERIALIZED VIEW twin_flags
COMMENT 'Used rows with an anomaly by location'
AS
WITH kind AS (
  SELECT CASE
    WHEN '${twin.times}' <> 'auto' OR naive = 0 OR instants = 0 THEN ''
    WHEN instants > naive THEN 'naive' ELSE 'instant' END AS aside
  FROM (
    SELECT
      coalesce(sum(CASE WHEN form = 'naive' THEN usable END), 0) AS naive,
      coalesce(sum(CASE WHEN form = 'instant' THEN usable END), 0) AS instants
    FROM twin_times
  )
),
events AS (
  SELECT e.location, e.order_id, e.event_type, e.ts, e.form, e.unread, e.sequence, e.lat, e.lon, e.progress, e.body, e.flag,
    coalesce(e.reason, CASE WHEN e.form = k.aside THEN CASE e.form WHEN 'instant' THEN 'time with a zone, most have none: set TWIN_TIMES' WHEN 'naive' THEN 'time without a zone, most have one: set TWIN_TIMES' END END) AS reason
  FROM twin_events AS e
  CROSS JOIN kind AS k
)
SELECT location, flag, count(DISTINCT (order_id, event_type, ts, sequence)) AS rows_used
FROM events
WHERE reason IS NULL AND flag IS NOT NULL
GROUP BY location, flag;

CREATE OR REFRESH MATERIALIZED VIEW twin_locations
COMMENT 'Rows, range and place of each kitchen'
AS
WITH kind AS (
  SELECT CASE
    WHEN '${twin.times}' <> 'auto' OR naive = 0 OR instants = 0 THEN ''
    WHEN instants > naive THEN 'naive' ELSE 'instant' END AS aside
  FROM (
    SELECT
      coalesce(sum(CASE WHEN form = 'naive' THEN usable END), 0) AS naive,
      coalesce(sum(CASE WHEN form = 'instant' THEN usable END), 0) AS instants
    FROM twin_times
  )
),
events AS (
  SELECT e.location, e.order_id, e.event_type, e.ts, e.form, e.unread, e.sequence, e.lat, e.lon, e.progress, e.body, e.flag,
    coalesce(e.reason, CASE WHEN e.form = k.aside THEN CASE e.form WHEN 'instant' THEN 'time with a zone, most have none: set TWIN_TIMES' WHEN 'naive' THEN 'time without a zone, most have one: set TWIN_TIMES' END END) AS reason
  FROM twin_events AS e
  CROSS JOIN kind AS k
)
SELECT
  e.location,
  count(*) AS rows_used,
  min(e.ts) AS first_ts,
  max(e.ts) AS last_ts,
  max(CASE WHEN e.event_type = 'delivered' THEN e.ts END) AS last_delivered,
  max(k.lat) AS lat,
  max(k.lon) AS lon,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY CASE WHEN e.event_type = 'order_created' THEN
    111195 * sqrt(power(e.lat - k.lat, 2)
      + power(least(abs(e.lon - k.lon), 360 - abs(e.lon - k.lon)) * cos(radians(k.lat)), 2)) END) AS radius_m
FROM events AS e
LEFT JOIN (
  SELECT
    location,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY try_cast(get_json_object(body, '$.route_points[0][0]') AS DOUBLE)) AS lat,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY try_cast(get_json_object(body, '$.route_points[0][1]') AS DOUBLE)) AS lon
  FROM events
  WHERE reason IS NULL AND event_type = 'driver_picked_up'
  GROUP BY location
) AS k ON k.location = e.location
WHERE e.reason IS NULL
GROUP BY e.location;

CREATE OR REFRESH MATERIALIZED VIEW twin_reused
COMMENT 'Later lives of ids that are used again'
AS
WITH kind AS (
  SELECT CASE
    WHEN '${twin.times}' <> 'auto' OR naive = 0 OR instants = 0 THEN ''
    WHEN instants > naive THEN 'naive' ELSE 'instant' END AS aside
  FROM (
    SELECT
      coalesce(sum(CASE WHEN form = 'naive' THEN usable END), 0) AS naive,
      coalesce(sum(CASE WHEN form = 'instant' THEN usable END), 0) AS instants
    FROM twin_times
  )
),
events AS (
  SELECT e.location, e.order_id, e.event_type, e.ts, e.form, e.unread, e.sequence, e.lat, e.lon, e.progress, e.body, e.flag,
    coalesce(e.reason, CASE WHEN e.form = k.aside THEN CASE e.form WHEN 'instant' THEN 'time with a zone, most have none: set TWIN_TIMES' WHEN 'naive' THEN 'time without a zone, most have one: set TWIN_TIMES' END END) AS reason
  FROM twin_events AS e
  CROSS JOIN kind AS k
),
lives AS (
SELECT
  location,
  order_id,
  min(ts) AS first_ts,
  max(ts) AS last_ts,
  coalesce(min(CASE WHEN event_type = 'order_created' THEN ts END), min(ts)) AS began
FROM events
WHERE reason IS NULL
GROUP BY location, order_id
)
SELECT
  location,
  order_id,
  ts AS began,
  lead(ts) OVER (PARTITION BY location, order_id ORDER BY ts) AS next_began,
  1 + row_number() OVER (PARTITION BY location, order_id ORDER BY ts) AS life
FROM (
  SELECT
    e.location,
    e.order_id,
    e.event_type,
    e.ts,
    lag(e.ts) OVER (
      PARTITION BY e.location, e.order_id
      ORDER BY e.ts, CASE WHEN e.event_type = 'order_created' THEN 0 ELSE 1 END
    ) AS before_ts
  FROM events AS e
  INNER JOIN lives AS l ON l.location = e.location AND l.order_id = e.order_id
  WHERE e.reason IS NULL AND timestampdiff(MICROSECOND, l.first_ts, l.last_ts) > 43200000000
)
WHERE event_type = 'order_created' AND timestampdiff(MICROSECOND, before_ts, ts) > 43200000000;

CREATE OR REFRESH MATERIALIZED VIEW twin_orders
CLUSTER BY (location, began)
COMMENT 'One row per order with its milestones'
AS
WITH kind AS (
  SELECT CASE
    WHEN '${twin.times}' <> 'auto' OR naive = 0 OR instants = 0 THEN ''
    WHEN instants > naive THEN 'naive' ELSE 'instant' END AS aside
  FROM (
    SELECT
      coalesce(sum(CASE WHEN form = 'naive' THEN usable END), 0) AS naive,
      coalesce(sum(CASE WHEN form = 'instant' THEN usable END), 0) AS instants
    FROM twin_times
  )
),
decoded AS (
  SELECT e.location, e.order_id, e.event_type, e.ts, e.form, e.unread, e.sequence, e.lat, e.lon, e.progress, e.body, e.flag,
    coalesce(e.reason, CASE WHEN e.form = k.aside THEN CASE e.form WHEN 'instant' THEN 'time with a zone, most have none: set TWIN_TIMES' WHEN 'naive' THEN 'time without a zone, most have one: set TWIN_TIMES' END END) AS reason
  FROM twin_events AS e
  CROSS JOIN kind AS k
),
reused_ids AS (
  SELECT location AS place, order_id AS id, concat(order_id, '~', CAST(life AS STRING)) AS name,
    began AS begin_ts, coalesce(next_began, CAST('9999-12-31' AS TIMESTAMP_NTZ)) AS end_ts
  FROM twin_reused
  WHERE (SELECT count(*) FROM twin_reused) <= 10000
),
events AS (
  SELECT
    e.location, coalesce(r.name, e.order_id) AS order_id, e.event_type, e.ts, e.sequence, e.lat, e.lon, e.progress, e.body, e.reason,
    e.flag
  FROM decoded AS e
  LEFT JOIN reused_ids AS r ON r.place = e.location AND r.id = e.order_id
    AND e.ts >= CAST(r.begin_ts AS TIMESTAMP_NTZ) AND e.ts < CAST(r.end_ts AS TIMESTAMP_NTZ)
)
SELECT
  location,
  order_id,
  COALESCE(MIN(CASE WHEN event_type = 'order_created' THEN ts END), MIN(ts)) AS began,
  MIN(CASE WHEN event_type = 'order_created' THEN ts END) AS created,
  MIN(CASE WHEN event_type = 'gk_started' THEN ts END) AS started,
  MIN(CASE WHEN event_type IN ('gk_finished', 'gk_ready') THEN ts END) AS ready,
  MIN(CASE WHEN event_type IN ('driver_picked_up', 'driver_ping') THEN ts END) AS on_road,
  MIN(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered,
  MIN(CASE WHEN event_type = 'order_cancelled' THEN ts END) AS cancelled,
  MIN_BY(CASE WHEN event_type = 'order_created' THEN body END, CASE WHEN event_type = 'order_created' THEN ts END) AS items,
  MIN(ts) AS first_ts,
  MAX(ts) AS last_ts,
  MIN(CASE WHEN event_type = 'gk_finished' THEN ts END) AS finished,
  MIN(CASE WHEN event_type = 'gk_ready' THEN ts END) AS history_ready,
  MIN(CASE WHEN event_type = 'driver_arrived' THEN ts END) AS arrived,
  MIN(CASE WHEN event_type = 'driver_picked_up' THEN ts END) AS picked_up,
  MIN(CASE WHEN event_type = 'driver_ping' THEN ts END) AS pinged
FROM events
WHERE reason IS NULL
GROUP BY location, order_id;

CREATE OR REFRESH MATERIALIZED VIEW twin_volume
COMMENT 'Orders per hour and location'
AS
WITH lives AS (
  SELECT location, order_id, first_ts, last_ts, began
  FROM twin_orders
)
SELECT location, CAST(date_trunc('HOUR', began) AS TIMESTAMP_NTZ) AS hour, count(*) AS orders
FROM lives
GROUP BY location, CAST(date_trunc('HOUR', began) AS TIMESTAMP_NTZ);

CREATE OR REFRESH MATERIALIZED VIEW twin_long_orders
COMMENT 'Orders that live for more than four hours'
AS
WITH lives AS (
  SELECT location, order_id, first_ts, last_ts, began
  FROM twin_orders
)
SELECT location, order_id, first_ts, last_ts
FROM lives
WHERE timestampdiff(MICROSECOND, first_ts, last_ts) > 14400000000;

CREATE OR REFRESH MATERIALIZED VIEW twin_version
COMMENT 'The number of rows by what decoded them'
AS
SELECT decoding, 'ded5323ed063' AS tables, count(*) AS rows_read
FROM twin_events
GROUP BY decoding;
