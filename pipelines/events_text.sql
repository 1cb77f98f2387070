-- Written by `python -m scripts.pipelines` from twin/sources/queries/*.sql: change those, never this file.
-- docs/databricks.md says what these tables are for. From the pipeline's configuration:
--   twin.catalog: the catalog of the raw table
--   twin.schema: its schema
--   twin.table: its name
--   twin.location: its column with the location: location, or location_id
--   twin.other_location: its column with the location where that has none: gk_id, or the same
--   twin.times: naive or instants, as TWIN_TIMES says it of files, or auto
--   twin.dates: day-first or month-first, as TWIN_DATES says it of files, or auto
-- Of three files of this name one is used: this one for times that are texts or whole numbers in the raw table.

CREATE OR REFRESH STREAMING TABLE twin_events
CLUSTER BY (location, ts)
COMMENT 'One row per raw row, decoded: a rejected row has its reason'
AS
WITH bronze AS (
SELECT CAST(`event_type` AS STRING) AS event_type, CAST(`ts` AS STRING) AS ts, coalesce(CAST(`${twin.location}` AS STRING), CAST(`${twin.other_location}` AS STRING)) AS location, CAST(`order_id` AS STRING) AS order_id, CAST(`sequence` AS STRING) AS sequence, CAST(`body` AS STRING) AS body
FROM STREAM `${twin.catalog}`.`${twin.schema}`.`${twin.table}`
),
quick AS (
  SELECT event_type, location, order_id, sequence, body, ts AS written, CASE WHEN ts RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?$' THEN try_cast(ts AS TIMESTAMP_NTZ) END AS plain
  FROM bronze
),
slow AS (
  SELECT
    event_type, location, order_id, sequence, body, plain,
    CASE WHEN plain IS NULL AND length(written) <= 80 THEN trim(written) END AS text
  FROM quick
),
iso AS (
  SELECT
    event_type, location, order_id, sequence, body, plain, text,
    CASE WHEN text RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-5]):[0-5][0-9])$'
      THEN try_cast(text AS TIMESTAMP_NTZ)
    END AS iso
  FROM slow
),
parts AS (
  SELECT
    event_type, location, order_id, sequence, body, plain, text, iso,
    CASE WHEN iso IS NULL THEN regexp_extract(text, r'^([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})(?:(?:[Tt]|,? +)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{0,9})?)?)(?:[ \x{a0}\x{202f}]*([AaPp][Mm])\b)?)? *([A-Za-z\[(+-].*)?$', 1) END AS first,
    CASE WHEN iso IS NULL THEN regexp_extract(text, r'^([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})(?:(?:[Tt]|,? +)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{0,9})?)?)(?:[ \x{a0}\x{202f}]*([AaPp][Mm])\b)?)? *([A-Za-z\[(+-].*)?$', 2) END AS second,
    CASE WHEN iso IS NULL THEN regexp_extract(text, r'^([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})(?:(?:[Tt]|,? +)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{0,9})?)?)(?:[ \x{a0}\x{202f}]*([AaPp][Mm])\b)?)? *([A-Za-z\[(+-].*)?$', 3) END AS third,
    CASE WHEN iso IS NULL THEN replace(regexp_extract(text, r'^([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})(?:(?:[Tt]|,? +)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{0,9})?)?)(?:[ \x{a0}\x{202f}]*([AaPp][Mm])\b)?)? *([A-Za-z\[(+-].*)?$', 4), ',', '.') END AS clock,
    CASE WHEN iso IS NULL THEN upper(regexp_extract(text, r'^([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})(?:(?:[Tt]|,? +)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{0,9})?)?)(?:[ \x{a0}\x{202f}]*([AaPp][Mm])\b)?)? *([A-Za-z\[(+-].*)?$', 5)) END AS half,
    CASE WHEN iso IS NULL THEN regexp_extract(text, r'^([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})(?:(?:[Tt]|,? +)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{0,9})?)?)(?:[ \x{a0}\x{202f}]*([AaPp][Mm])\b)?)? *([A-Za-z\[(+-].*)?$', 6) ELSE regexp_extract(text, r'(Z|[+-][0-9]{2}:[0-9]{2})$', 1) END AS zone,
    CASE WHEN iso IS NULL AND text RLIKE r'^[0-9]{1,19}(?:\.[0-9]{0,9})?(?:[eE][+]?[0-9]{1,2})?$' THEN try_cast(text AS DECIMAL(29, 9)) END AS number
  FROM iso
),
dated AS (
  SELECT
    event_type, location, order_id, sequence, body, plain, text, iso, clock, half, zone,
    length(first) <= 2 AND length(third) = 4 AS day_or_month_first,
    CASE WHEN length(first) = 4 AND length(third) <= 2 THEN concat(first, '-', second, '-', third)
      WHEN length(first) <= 2 AND length(third) = 4 THEN CASE WHEN '${twin.dates}' = 'day-first' THEN concat(third, '-', second, '-', first) WHEN '${twin.dates}' = 'month-first' THEN concat(third, '-', first, '-', second) END
    END AS day,
    CASE
      WHEN number BETWEEN 631152000 AND 4102444799 THEN CAST(floor(CAST(number AS DECIMAL(19, 9)) * CAST(1000000 AS DECIMAL(7, 0))) AS BIGINT)
      WHEN number BETWEEN 631152000000 AND 4102444799999 THEN CAST(floor(CAST(number AS DECIMAL(22, 9)) * CAST(1000 AS DECIMAL(4, 0))) AS BIGINT)
      WHEN number BETWEEN 631152000000000 AND 4102444799999999 THEN CAST(floor(number) AS BIGINT)
      WHEN number BETWEEN 631152000000000000 AND 4102444799999999999 THEN CAST(floor(number) AS BIGINT) DIV 1000
    END AS micros
  FROM parts
),
clocked AS (
  SELECT
    event_type, location, order_id, sequence, body, plain, text, zone, day_or_month_first, day, micros,
    CASE
      WHEN iso IS NOT NULL THEN iso
      WHEN clock = '' THEN try_cast(day AS TIMESTAMP_NTZ)
      WHEN half = '' AND clock RLIKE r'^24:00(?::00(?:\.0*)?)?$' THEN timestampadd(DAY, 1, try_cast(day AS TIMESTAMP_NTZ))
      WHEN half = '' THEN try_cast(concat(day, ' ', clock) AS TIMESTAMP_NTZ)
      WHEN try_cast(split_part(clock, ':', 1) AS INT) BETWEEN 1 AND 12 THEN timestampadd(
        HOUR,
        (CASE half WHEN 'PM' THEN 12 ELSE 0 END) - (CASE WHEN split_part(clock, ':', 1) = '12' THEN 12 ELSE 0 END),
        try_cast(concat(day, ' ', clock) AS TIMESTAMP_NTZ)
      )
    END AS clock,
    CASE
      WHEN zone = '' THEN NULL
      WHEN zone RLIKE r'^(?:(?:UTC|GMT|utc|gmt) ?)?[+-](?:(?:0?[0-9]|1[0-5])(?::[0-5][0-9](?::00)?)?|(?:0[0-9]|1[0-5])[0-5][0-9])(?: ?[\[(].*)?$'
        THEN (CASE WHEN zone RLIKE r'^[A-Za-z ]*-' THEN -1 ELSE 1 END) * (
          60 * try_cast(regexp_extract(zone, r'[+-]([0-9]{1,2})', 1) AS INT)
          + coalesce(try_cast(regexp_extract(zone, r'[+-][0-9]{1,2}:?([0-9]{2})', 1) AS INT), 0)
        )
      ELSE CASE upper(zone)
        WHEN 'Z' THEN 0
        WHEN 'UTC' THEN 0
        WHEN 'UT' THEN 0
        WHEN 'GMT' THEN 0
        WHEN 'Z[UTC]' THEN 0
        WHEN 'ETC/UTC' THEN 0
        WHEN 'ETC/GMT' THEN 0
        WHEN 'EST' THEN -300
        WHEN 'EDT' THEN -240
        WHEN 'MST' THEN -420
        WHEN 'MDT' THEN -360
        WHEN 'PST' THEN -480
        WHEN 'PDT' THEN -420
        WHEN 'AKST' THEN -540
        WHEN 'AKDT' THEN -480
        WHEN 'HST' THEN -600
        WHEN 'WET' THEN 0
        WHEN 'WEST' THEN 60
        WHEN 'CET' THEN 60
        WHEN 'CEST' THEN 120
        WHEN 'EET' THEN 120
        WHEN 'EEST' THEN 180
        WHEN 'MSK' THEN 180
        WHEN 'SAST' THEN 120
        WHEN 'PKT' THEN 300
        WHEN 'WIB' THEN 420
        WHEN 'HKT' THEN 480
        WHEN 'AWST' THEN 480
        WHEN 'JST' THEN 540
        WHEN 'KST' THEN 540
        WHEN 'ACST' THEN 570
        WHEN 'ACDT' THEN 630
        WHEN 'AEST' THEN 600
        WHEN 'AEDT' THEN 660
        WHEN 'NZST' THEN 720
        WHEN 'NZDT' THEN 780
      END
    END AS minutes
  FROM dated
),
converted AS (
  SELECT
    event_type, location, order_id, sequence, body, text,
    CASE
      WHEN plain IS NOT NULL THEN plain
      WHEN micros IS NOT NULL THEN timestampadd(MICROSECOND, micros, TIMESTAMP_NTZ '1970-01-01 00:00:00')
      WHEN '${twin.times}' = 'naive' OR zone = '' THEN clock
      WHEN minutes IS NOT NULL THEN timestampadd(MINUTE, -minutes, clock)
      ELSE CAST(NULL AS TIMESTAMP_NTZ)
    END AS ts,
    CASE
      WHEN plain IS NOT NULL THEN 'naive'
      WHEN day_or_month_first AND day IS NULL THEN 'date'
      WHEN micros IS NOT NULL THEN 'instant'
      WHEN zone = '' OR clock IS NULL THEN 'naive'
      WHEN '${twin.times}' = 'naive' OR minutes IS NOT NULL OR FALSE THEN 'instant'
      ELSE 'zone'
    END AS form
  FROM clocked
),
timed AS (
  SELECT
    event_type, location, order_id, sequence, body,
    CASE WHEN rand() + 1 > 0 THEN ts END AS ts,
    CASE WHEN form = 'none' THEN concat('other ', form) ELSE form END AS form,
    CASE WHEN form IN ('date', 'zone') THEN text END AS unread
  FROM converted
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
  'e2bc890e01ff location=${twin.location},${twin.other_location} times=${twin.times} dates=${twin.dates}' AS decoding
FROM events;
