-- Decoded events: the common beginning of all queries, so that aggregates and loaded windows agree by construction.
-- In:  timed (event_type, ts, location, order_id, sequence, body; form, unread), one row per raw row of the source, its time read
--      (timed.sql).
-- Out: events, one row per raw row. `reason` is why a row is rejected, NULL for a row that is used; `flag` marks used rows with
--      an anomaly. `body` is NULL for events whose body has nothing but a position, so items, addresses and routes remain.
--      Repeated rows are included: see docs/decisions/0003-repeated-rows.md.
-- Dialect: Databricks SQL, transpiled for DuckDB. `is_json(body)` is each engine's form of the one definition in json_bodies.py.
typed AS (
  SELECT
    nullif(lower(trim(event_type)), '') AS event_type,
    ts, form, unread,
    nullif(trim(location), '') AS location,
    nullif(trim(order_id), '') AS order_id,
    try_cast(sequence AS DOUBLE) AS sequence,
    bit_length(body) > 2097152 AS large, -- a route of 10,000 points has less; real ones have a hundred
    CASE
      WHEN body IS NULL OR body IN ('{}', '', 'null', 'NULL') THEN '{}'
      WHEN bit_length(body) > 2097152 THEN NULL
      WHEN substr(ltrim(body), 1, 1) = '{' AND is_json(body) THEN body
    END AS body
  FROM timed
),
placed AS (
  SELECT
    event_type, ts, form, unread, location, order_id, large, body,
    CASE WHEN abs(sequence) <= 9007199254740992 THEN sequence END AS sequence, -- beyond it, whole numbers are not told apart
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
    -- Web Mercator ends at 85.05 degrees; exactly 0, 0 is a GPS without a fix
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
      -- years outside 1990 to 2100 come from wrong clocks; one such row would extend every range
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
