-- Written by `python -m scripts.pipelines` from twin/sources/queries/*.sql: change those, never this file.
-- docs/databricks.md says what these tables are for. From the pipeline's configuration:
--   twin.catalog: the catalog of the raw table
--   twin.schema: its schema
--   twin.table: its name
--   twin.location: its column with the location: location, or location_id
--   twin.other_location: its column with the location where that has none: gk_id, or the same
--   twin.times: naive or instants, as TWIN_TIMES says it of files, or auto
--   twin.dates: day-first or month-first, as TWIN_DATES says it of files, or auto
-- Of three files of this name one is used: this one for times that are TIMESTAMP_NTZ or DATE in the raw table.

CREATE OR REFRESH STREAMING TABLE twin_events
CLUSTER BY (location, ts)
COMMENT 'One row per raw row, decoded: a rejected row has its reason'
AS
WITH bronze AS (
SELECT CAST(`event_type` AS STRING) AS event_type, `ts` AS ts, coalesce(CAST(`${twin.location}` AS STRING), CAST(`${twin.other_location}` AS STRING)) AS location, CAST(`order_id` AS STRING) AS order_id, CAST(`sequence` AS STRING) AS sequence, CAST(`body` AS STRING) AS body
FROM STREAM `${twin.catalog}`.`${twin.schema}`.`${twin.table}`
),
timed AS (
  SELECT event_type, location, order_id, sequence, body, CAST(ts AS TIMESTAMP_NTZ) AS ts,
    'naive' AS form, CAST(NULL AS STRING) AS unread
  FROM bronze
),
typed AS (
  SELECT
    nullif(lower(trim(event_type)), '') AS event_type,
    ts, form, unread,
    nullif(trim(location), '') AS location,
    nullif(trim(order_id), '') AS order_id,
    try_cast(sequence AS DOUBLE) AS sequence,
    bit_length(body) > 2097152 AS large,
    CASE
      WHEN body IS NULL OR body IN ('{}', '', 'null', 'NULL') THEN '{}'
      WHEN bit_length(body) > 2097152 THEN NULL
      WHEN substr(ltrim(body), 1, 1) = '{' AND (get_json_object(concat('[', body, ',"end"]'), '$[1]') = 'end' AND (NOT body RLIKE r'[\x00-\x1f\x27]|\\u|[0-9]{101}|[0-9][eE][+-]?[0-9]{3}|(?:[\[{][^\[\]{}]*){33}' OR (NOT regexp_replace(replace(replace(body, r'\\', ''), r'\"', ''), r'\x22[^\x22\x00-\x1f]*\x22', 's') RLIKE r'[\x22\x27]|[0-9]{101}|[eE]-[0-9]{5}|[eE]\+?(?:309|3[1-9][0-9]|[4-9][0-9]{2}|[0-9]{4})|[^0-9.][0-9]{2,}(?:\.[0-9]+)?[eE]\+?[0-9]{3}|[^0-9.](?:[2-9]|1\.[89]|1\.79[89])[0-9.]*[eE]\+?308|(?:[\[{][^\[\]{}]*){33}' AND NOT regexp_replace(replace(body, r'\\', ''), r'(?i)\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}', '') RLIKE r'(?i)\\ud[89a-f]'))) THEN body
    END AS body
  FROM timed
),
placed AS (
  SELECT
    event_type, ts, form, unread, location, order_id, large, body,
    CASE WHEN abs(sequence) <= 9007199254740992 THEN sequence END AS sequence,
    try_cast(CASE event_type
      WHEN 'driver_ping' THEN coalesce(get_json_object(body, '$.loc_lat'), get_json_object(body, '$.lat'))
      WHEN 'order_created' THEN get_json_object(body, '$.customer_lat')
      WHEN 'delivered' THEN get_json_object(body, '$.delivered_lat')
    END AS DOUBLE) AS lat,
    try_cast(CASE event_type
      WHEN 'driver_ping' THEN coalesce(get_json_object(body, '$.loc_lon'), get_json_object(body, '$.lon'))
      WHEN 'order_created' THEN get_json_object(body, '$.customer_lon')
      WHEN 'delivered' THEN get_json_object(body, '$.delivered_lon')
    END AS DOUBLE) AS lon,
    CASE WHEN event_type = 'driver_ping' THEN try_cast(get_json_object(body, '$.progress_pct') AS DOUBLE) END AS progress
  FROM typed
),
events AS (
  SELECT
    location,
    order_id,
    event_type,
    ts,
    form,
    unread,
    sequence,
    CASE WHEN abs(lat) <= 85.05 AND abs(lon) <= 180 AND NOT (lat = 0 AND lon = 0) THEN lat END AS lat,
    CASE WHEN abs(lat) <= 85.05 AND abs(lon) <= 180 AND NOT (lat = 0 AND lon = 0) THEN lon END AS lon,
    CASE WHEN progress BETWEEN 0 AND 100 THEN progress END AS progress,
    CASE WHEN event_type IN ('order_created', 'driver_picked_up') THEN body END AS body,
    CASE
      WHEN order_id IS NULL AND event_type IS NULL AND ts IS NULL THEN 'broken line'
      WHEN order_id IS NULL THEN 'no order'
      WHEN event_type IS NULL THEN 'no event type'
      WHEN location IS NULL THEN 'no location'
      WHEN form = 'date' THEN 'day or month first: set TWIN_DATES'
      WHEN form = 'zone' THEN 'unknown time zone'
      WHEN ts IS NULL OR ts < CAST('1990-01-01' AS TIMESTAMP_NTZ) OR ts >= CAST('2100-01-01' AS TIMESTAMP_NTZ) THEN 'bad timestamp'
      WHEN large THEN 'large body'
      WHEN body IS NULL THEN 'broken JSON'
      WHEN form = 'other instant' THEN 'time with a zone, most have none: set TWIN_TIMES'
      WHEN form = 'other naive' THEN 'time without a zone, most have one: set TWIN_TIMES'
    END AS reason,
    CASE
      WHEN event_type NOT IN (
        'order_created', 'gk_started', 'gk_finished', 'gk_ready', 'driver_arrived', 'driver_picked_up', 'driver_ping',
        'delivered', 'order_cancelled') THEN 'unknown type'
      WHEN event_type IN ('order_created', 'driver_ping', 'delivered') AND (lat IS NULL OR lon IS NULL) THEN 'missing coordinate'
      WHEN abs(lat) > 85.05 OR abs(lon) > 180 OR (lat = 0 AND lon = 0) THEN 'odd coordinate'
    END AS flag
  FROM placed
)
SELECT location, order_id, event_type, ts, form, unread, sequence, lat, lon, progress, body, reason, flag,
  '0fabf3a6d247 location=${twin.location},${twin.other_location} times=${twin.times} dates=${twin.dates}' AS decoding
FROM events;
