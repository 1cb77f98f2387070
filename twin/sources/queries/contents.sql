-- What opening learns of a whole table of raw events, in one pass over it: one row per location, reason and kind of times, with
-- the counts of quality.sql and flags.sql, the figures of locations.sql, the hours of volume.sql, and the orders of long_orders.sql
-- and reused.sql, whose lives are told apart from what is listed of them.
-- In: `events` with columns more, of the raw row: `spelling` (of the location, where it is not the location itself), `elsewhere`
-- (whether the location is in another column than the first that may have it),
-- `odd_time` and `odd_order` (odd_values.py), and `not_plain` (a text of the time that is not plain). `:kinds` is 'apart' where rows
-- of one kind of times may have to be set aside: then none of an order's figures is made of both.
-- All windows are of one order, so that the rows are moved and sorted once. Times are microseconds since 1970.
seen AS (
  SELECT
    location,
    order_id,
    event_type,
    ts,
    sequence,
    reason,
    flag,
    elsewhere,
    spelling,
    odd_time,
    odd_order,
    CASE WHEN not_plain AND (ts IS NOT NULL OR unread IS NOT NULL) THEN 1 END AS other_text,
    CASE WHEN unread IS NOT NULL THEN 1 END AS unread,
    CASE WHEN ts IS NULL THEN 1 END AS untimed,
    CASE WHEN :kinds = 'apart' THEN form ELSE 'naive' END AS kind,
    timestampdiff(MICROSECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', ts) AS at,
    CASE WHEN reason IS NULL THEN event_type END AS used_type,
    CASE event_type
      WHEN 'order_created' THEN lat
      WHEN 'driver_picked_up' THEN try_cast(get_json_object(body, '$.route_points[0][0]') AS DOUBLE)
    END AS lat,
    CASE event_type
      WHEN 'order_created' THEN lon
      WHEN 'driver_picked_up' THEN try_cast(get_json_object(body, '$.route_points[0][1]') AS DOUBLE)
    END AS lon
  FROM events
),
in_order AS (
  SELECT
    *,
    lag(at) OVER of_order AS before_at,
    lag(event_type) OVER of_order <=> event_type AND lag(at) OVER of_order <=> at AND lag(sequence) OVER of_order <=> sequence
      AND row_number() OVER of_order > 1 AS is_copy,
    lag(flag) OVER of_order <=> flag AS same_flag
  FROM seen
  WINDOW of_order AS (
    PARTITION BY location, order_id, reason, kind
    ORDER BY at, CASE WHEN event_type = 'order_created' THEN 0 ELSE 1 END, event_type, sequence, flag
  )
),
by_order AS (
  SELECT
    location,
    order_id,
    reason,
    kind,
    count(*) AS rows_read,
    count(CASE WHEN reason IS NULL AND NOT is_copy THEN 1 END) AS rows_used,
    count(CASE WHEN reason IS NULL AND flag = 'unknown type' AND NOT (is_copy AND same_flag) THEN 1 END) AS unknown_type,
    count(CASE WHEN reason IS NULL AND flag = 'missing coordinate' AND NOT (is_copy AND same_flag) THEN 1 END) AS missing_coordinate,
    count(CASE WHEN reason IS NULL AND flag = 'odd coordinate' AND NOT (is_copy AND same_flag) THEN 1 END) AS odd_coordinate,
    count(unread) AS unread,
    count(untimed) AS untimed,
    count(other_text) AS other_texts,
    count(CASE WHEN elsewhere THEN 1 END) AS elsewhere,
    count(CASE WHEN odd_time THEN 1 END) AS odd_times,
    count(CASE WHEN odd_order THEN 1 END) AS odd_orders,
    min(at) AS first_at,
    max(at) AS last_at,
    min(CASE WHEN event_type = 'order_created' THEN at END) AS created_at,
    max(CASE WHEN event_type = 'delivered' THEN at END) AS delivered_at,
    coalesce(collect_list(spelling) FILTER (WHERE spelling IS NOT NULL), array()) AS spellings,
    coalesce(
      collect_list(named_struct('before_at', before_at, 'begin_at', at)) FILTER (
        WHERE used_type = 'order_created' AND at - before_at > 43200000000
      ),
      array()
    ) AS begins,
    concat(
      array(named_struct('what', 'order', 'lat', CAST(NULL AS DOUBLE), 'lon', CAST(NULL AS DOUBLE))),
      coalesce(
        collect_list(named_struct('what', used_type, 'lat', lat, 'lon', lon)) FILTER (
          WHERE used_type IN ('order_created', 'driver_picked_up')
        ),
        array()
      )
    ) AS points
  FROM in_order
  GROUP BY location, order_id, reason, kind
),
-- A row per order, and one per customer and start of a route: copies of a row count in their percentiles, as in locations.sql.
placed_points AS (
  SELECT
    *,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN point.what = 'driver_picked_up' THEN point.lat END)
      OVER (PARTITION BY location, reason, kind) AS kitchen_lat,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN point.what = 'driver_picked_up' THEN point.lon END)
      OVER (PARTITION BY location, reason, kind) AS kitchen_lon
  FROM by_order
  LATERAL VIEW explode(points) AS point
),
measured AS (
  SELECT
    *,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY CASE WHEN point.what = 'order_created' THEN
      111195 * sqrt(power(point.lat - kitchen_lat, 2)
        + power(least(abs(point.lon - kitchen_lon), 360 - abs(point.lon - kitchen_lon)) * cos(radians(kitchen_lat)), 2)) END)
      OVER (PARTITION BY location, reason, kind) AS radius_m
  FROM placed_points
),
by_hour AS (
  SELECT
    location,
    reason,
    kind,
    CASE WHEN reason IS NULL THEN coalesce(created_at, first_at) DIV 3600000000 END AS hour,
    count(*) AS orders,
    sum(rows_read) AS rows_read,
    sum(rows_used) AS rows_used,
    sum(unknown_type) AS unknown_type,
    sum(missing_coordinate) AS missing_coordinate,
    sum(odd_coordinate) AS odd_coordinate,
    sum(unread) AS unread,
    sum(untimed) AS untimed,
    sum(other_texts) AS other_texts,
    sum(elsewhere) AS elsewhere,
    sum(odd_times) AS odd_times,
    sum(odd_orders) AS odd_orders,
    min(first_at) AS first_at,
    max(last_at) AS last_at,
    max(delivered_at) AS delivered_at,
    max(kitchen_lat) AS lat,
    max(kitchen_lon) AS lon,
    max(radius_m) AS radius_m,
    coalesce(collect_list(spellings) FILTER (WHERE size(spellings) > 0), array()) AS spellings,
    coalesce(
      collect_list(named_struct(
        'order_id', order_id, 'first_at', first_at, 'last_at', last_at, 'created_at', created_at, 'begins', begins
      )) FILTER (WHERE reason IS NULL AND last_at - first_at > 14400000000),
      array()
    ) AS long_orders
  FROM measured
  WHERE point.what = 'order'
  GROUP BY location, reason, kind, CASE WHEN reason IS NULL THEN coalesce(created_at, first_at) DIV 3600000000 END
)
SELECT
  location,
  reason,
  kind,
  sum(rows_read) AS rows_read,
  sum(rows_used) AS rows_used,
  sum(unknown_type) AS unknown_type,
  sum(missing_coordinate) AS missing_coordinate,
  sum(odd_coordinate) AS odd_coordinate,
  sum(unread) AS unread,
  sum(untimed) AS untimed,
  sum(other_texts) AS other_texts,
  sum(elsewhere) AS elsewhere,
  sum(odd_times) AS odd_times,
  sum(odd_orders) AS odd_orders,
  min(first_at) AS first_at,
  max(last_at) AS last_at,
  max(delivered_at) AS delivered_at,
  max(lat) AS lat,
  max(lon) AS lon,
  max(radius_m) AS radius_m,
  sort_array(array_distinct(flatten(flatten(collect_list(spellings))))) AS spellings,
  sort_array(coalesce(collect_list(named_struct('hour', hour, 'orders', orders)) FILTER (WHERE hour IS NOT NULL), array())) AS hours,
  sort_array(flatten(collect_list(long_orders))) AS long_orders
FROM by_hour
GROUP BY location, reason, kind
ORDER BY location, reason, kind
