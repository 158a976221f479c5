-- load
-- Grain:   published load that a scorecard is kept for: the last of each month, and every one of the newest month.
-- Reads:   quality.load, quality.query_event.
-- Feeds:   delivery, query, scorecard.
-- What people do after a load counts to it until the next load starts or its month ends. It is compared with
-- the last load of an earlier month; where there is none, with the load before it.
CREATE OR REPLACE TEMP TABLE scorecard_load AS
WITH published AS (
  SELECT
    load_id,
    started_at,
    date_trunc('month', started_at)::DATE AS "month",
    lead(started_at) OVER (ORDER BY load_id) AS next_at,
    lag(load_id) OVER (ORDER BY load_id) AS load_before
  FROM quality.load
  WHERE outcome = 'published'
),
marked AS (
  SELECT
    *,
    load_id = max(load_id) OVER (PARTITION BY "month") AS is_last_of_month,
    max("month") OVER () AS newest_month
  FROM published
),
kept AS (
  SELECT
    *,
    CASE WHEN next_at IS NOT NULL THEN least(next_at, "month" + INTERVAL 1 MONTH) END AS until
  FROM marked
  WHERE is_last_of_month OR "month" = newest_month
)
SELECT
  k.load_id,
  k."month",
  k.is_last_of_month,
  k.until,
  coalesce(
    k.until - INTERVAL 1 SECOND, greatest(k.started_at, (SELECT max("at") FROM quality.query_event))
  )::TIMESTAMP AS as_of,
  coalesce(
    (SELECT max(e.load_id) FROM marked AS e WHERE e."month" < k."month" AND e.is_last_of_month),
    k.load_before
  ) AS before_load_id
FROM kept AS k
