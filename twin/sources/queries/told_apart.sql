-- Decoded events in which later lives of an id have a name of their own. In: `decoded`, which is `events` of events.sql, and
-- `:reused`, the lives as JSON; begin and end are times as text.
reused_ids AS (
  SELECT life.place AS place, life.id AS id, life.name AS name, life.begin AS begin_ts, life.end AS end_ts
  FROM (SELECT 1 AS one)
  LATERAL VIEW explode(
    from_json(:reused, 'ARRAY<STRUCT<place: STRING, id: STRING, name: STRING, begin: STRING, end: STRING>>')
  ) AS life
),
events AS (
  SELECT
    e.location, coalesce(r.name, e.order_id) AS order_id, e.event_type, e.ts, e.sequence, e.lat, e.lon, e.progress, e.body, e.reason,
    e.flag
  FROM decoded AS e
  LEFT JOIN reused_ids AS r ON r.place = e.location AND r.id = e.order_id
    AND e.ts >= CAST(r.begin_ts AS TIMESTAMP_NTZ) AND e.ts < CAST(r.end_ts AS TIMESTAMP_NTZ)
)
