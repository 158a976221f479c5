-- load
-- Grain:   published load that a scorecard is kept for: the last of each of thirteen months.
-- Reads:   quality.load, quality.query_event.
-- Feeds:   delivery, query, scorecard.
-- What people do after a load counts to it until the next load starts or its month ends. It is compared with
-- the last load of an earlier month; in the first month of a study, with the load before it, which is kept then, too.
CREATE OR REPLACE TEMP TABLE scorecard_load AS
WITH published AS (
  SELECT
    load_id,
    started_at,
    date_trunc('month', started_at)::DATE AS "month",
    lead(started_at) OVER (ORDER BY load_id) AS next_at
  FROM quality.load
  WHERE outcome = 'published'
),
marked AS (
  SELECT
    *,
    load_id = max(load_id) OVER (PARTITION BY "month") AS is_last_of_month,
    row_number() OVER (ORDER BY load_id DESC) AS back,
    min("month") OVER () = max("month") OVER () AS is_first_month,
    max("month") OVER () - INTERVAL 12 MONTH AS oldest_month
  FROM published
),
kept AS (
  SELECT
    *,
    CASE WHEN next_at IS NOT NULL THEN least(next_at, "month" + INTERVAL 1 MONTH) END AS until
  FROM marked
  WHERE is_last_of_month AND "month" >= oldest_month OR is_first_month AND back = 2
)
SELECT
  k.load_id,
  k."month",
  k.is_last_of_month,
  k.until,
  coalesce(
    k.until - INTERVAL 1 SECOND, greatest(k.started_at, (SELECT max("at") FROM quality.query_event))
  )::TIMESTAMP AS as_of,
  lag(k.load_id) OVER (ORDER BY k.load_id) AS before_load_id
FROM kept AS k
