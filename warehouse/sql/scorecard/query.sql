-- query
-- Grain:   load and query that was known by then.
-- Reads:   quality.query, quality.query_event, temp.scorecard_load.
-- Feeds:   figure.
-- The state after the load: the last event that counted. A query is asked when it is released; the center can answer once
-- it was sent. Times are UTC.
CREATE OR REPLACE TEMP TABLE scorecard_query AS
WITH event AS (
  SELECT
    l.load_id,
    l.as_of,
    e.query_id,
    e.event,
    e."at",
    e.to_state,
    e.resolution,
    e.actor = 'center' AND e.event IN ('answered', 'confirmed', 'closed') AS is_answer,
    e.event_number AS place
  FROM temp.scorecard_load AS l
  JOIN quality.query_event AS e ON CASE
    WHEN e.load_id IS NOT NULL THEN e.load_id <= l.load_id
    ELSE l.until IS NULL OR e."at" < l.until
  END
),
folded AS (
  SELECT
    load_id,
    query_id,
    any_value(as_of) AS as_of,
    arg_max(to_state, place) AS state,
    arg_max(coalesce(resolution, ''), place) AS resolution,
    min("at") AS created_at,
    min("at") FILTER (event IN ('released', 'sent') OR to_state = 'open') AS asked_at,
    min("at") FILTER (event = 'sent') AS sent_at,
    min("at") FILTER (is_answer) AS answered_at,
    bool_or(event = 'not_corrected') AS is_not_corrected,
    bool_or(event = 'reopened') AS is_reopened,
    bool_or(to_state IN ('resolved', 'closed')) AS was_settled
  FROM event
  GROUP BY load_id, query_id
)
SELECT
  f.load_id,
  q.center_id,
  q.severity,
  f.* EXCLUDE (load_id, as_of),
  -- Whole days, never below 0: clocks of two machines may differ by seconds.
  greatest(0, date_diff('second', coalesce(f.asked_at, f.created_at), f.as_of) // 86400)
    AS age_days,
  greatest(0, date_diff('second', coalesce(f.sent_at, f.asked_at), f.answered_at) // 86400)
    AS days_to_answer
FROM folded AS f
JOIN quality.query AS q USING (query_id)
