-- Times as they are written, read: the part between the raw rows and events.sql. Which forms there are is in docs/data.md.
-- In:  bronze (event_type, ts, location, order_id, sequence, body), where ts is a text.
-- Out: timed, the same rows with ts as a time, NULL where it cannot be read, and UTC where the text fixes an instant. `form` is
--      'naive' or 'instant' (an offset, a zone, a number since 1970), with 'other ' before it if most rows have the other kind;
--      'date' or 'zone' for a text that only a look at the whole column or a setting can read, which is then in `unread`: it begins
--      with a day or a month, or its zone is not one of those below.
-- times.py fills in plain_time(ts), in_order(), as_written(), in_named_zone(), and which kind is the other.
quick AS (
  SELECT event_type, location, order_id, sequence, body, ts AS written, plain_time(ts) AS plain
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
    -- both engines read what is before the offset, and drop the offset
    CASE WHEN text RLIKE r'^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-5]):[0-5][0-9])$'
      THEN try_cast(text AS TIMESTAMP_NTZ)
    END AS iso
  FROM slow
),
parts AS (
  SELECT
    event_type, location, order_id, sequence, body, plain, text, iso,
    CASE WHEN iso IS NULL THEN regexp_extract(text, r'@FORM', 1) END AS first,
    CASE WHEN iso IS NULL THEN regexp_extract(text, r'@FORM', 2) END AS second,
    CASE WHEN iso IS NULL THEN regexp_extract(text, r'@FORM', 3) END AS third,
    CASE WHEN iso IS NULL THEN replace(regexp_extract(text, r'@FORM', 4), ',', '.') END AS clock,
    CASE WHEN iso IS NULL THEN upper(regexp_extract(text, r'@FORM', 5)) END AS half,
    CASE WHEN iso IS NULL THEN regexp_extract(text, r'@FORM', 6) ELSE regexp_extract(text, r'(Z|[+-][0-9]{2}:[0-9]{2})$', 1) END AS zone,
    CASE WHEN iso IS NULL AND text RLIKE r'^[0-9]{1,19}(?:\.[0-9]{0,9})?(?:[eE][+]?[0-9]{1,2})?$' THEN try_cast(text AS DECIMAL(29, 9)) END AS number
  FROM iso
),
dated AS (
  SELECT
    event_type, location, order_id, sequence, body, plain, text, iso, clock, half, zone,
    length(first) <= 2 AND length(third) = 4 AS day_or_month_first,
    CASE WHEN length(first) = 4 AND length(third) <= 2 THEN concat(first, '-', second, '-', third)
      WHEN length(first) <= 2 AND length(third) = 4 THEN in_order()
    END AS day,
    -- what a number counts since 1970 is told by its size, within the years 1990 to 2100
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
@ABBREVIATIONS
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
      WHEN as_written() OR zone = '' THEN clock
      WHEN minutes IS NOT NULL THEN timestampadd(MINUTE, -minutes, clock)
      ELSE in_named_zone()
    END AS ts,
    CASE
      WHEN plain IS NOT NULL THEN 'naive'
      WHEN day_or_month_first AND day IS NULL THEN 'date'
      WHEN micros IS NOT NULL THEN 'instant'
      WHEN zone = '' OR clock IS NULL THEN 'naive'
      WHEN as_written() OR minutes IS NOT NULL OR has_named_zone() THEN 'instant'
      ELSE 'zone'
    END AS form
  FROM clocked
),
timed AS (
  SELECT
    event_type, location, order_id, sequence, body,
    CASE WHEN rand() + 1 > 0 THEN ts END AS ts,
    CASE WHEN form = 'other_kind()' THEN concat('other ', form) ELSE form END AS form,
    CASE WHEN form IN ('date', 'zone') THEN text END AS unread
  FROM converted
)
