-- The texts that are still to be read (queries/timed.sql), by their zone if they begin with the year: how many, how many of those
-- that begin with a day or a month can only be one of the two, and an example of each.
SELECT
  day_or_month_first,
  zone,
  count(*) AS rows_read,
  max(unread) AS example,
  max(CASE WHEN first > 12 THEN unread END) AS day_first,
  max(CASE WHEN second > 12 THEN unread END) AS month_first
FROM (
  SELECT
    unread,
    form = 'date' AS day_or_month_first,
    CASE WHEN form = 'zone' THEN regexp_extract(unread, r'([A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*)\]?$', 1) END AS zone,
    try_cast(regexp_extract(unread, r'^([0-9]+)', 1) AS INT) AS first,
    try_cast(regexp_extract(unread, r'^[0-9]+[-/.]([0-9]+)', 1) AS INT) AS second
  FROM events
  WHERE unread IS NOT NULL
)
GROUP BY day_or_month_first, zone
ORDER BY rows_read DESC, zone
LIMIT 200
