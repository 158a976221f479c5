-- query
-- Grain:   load and query that was known by then.
-- Reads:   quality.query, quality.query_event, temp.scorecard_load.
-- Feeds:   figure.
-- The state after the load: the last event that counted. A query is asked when it is open for the first time; the
-- center can answer once it was sent. An event of a load counts from that load on, one of people from the load during
-- whose time it happened. Each query is folded once into spans of loads, so that many months cost little. Times are UTC.
CREATE OR REPLACE TEMP TABLE scorecard_query AS
WITH placed AS (
  SELECT e.*, l.load_id AS counts_from
  FROM quality.query_event AS e ASOF JOIN temp.scorecard_load AS l ON e.load_id <= l.load_id
  UNION ALL
  SELECT e.*, l.load_id AS counts_from
  FROM (SELECT * FROM quality.query_event WHERE load_id IS NULL) AS e
  ASOF JOIN (
    SELECT load_id, coalesce(until, 'infinity'::TIMESTAMP) AS until FROM temp.scorecard_load
  ) AS l ON e."at" < l.until
),
told AS (
  SELECT
    query_id,
    event_number,
    max(counts_from) OVER past AS counts_from,
    to_state AS state,
    resolution,
    min("at") OVER past AS created_at,
    min(CASE WHEN to_state = 'open' THEN "at" END) OVER past AS asked_at,
    min(CASE WHEN "event" = 'sent' THEN "at" END) OVER past AS sent_at,
    min(
      CASE WHEN actor = 'center' AND "event" IN ('answered', 'confirmed', 'closed') THEN "at" END
    ) OVER past AS answered_at,
    bool_or("event" = 'not_corrected') OVER past AS is_not_corrected,
    bool_or("event" = 'reopened') OVER past AS is_reopened,
    bool_or(to_state IN ('resolved', 'closed')) OVER past AS was_settled
  FROM placed
  WINDOW past AS (PARTITION BY query_id ORDER BY event_number ROWS UNBOUNDED PRECEDING)
),
span AS (
  SELECT
    t.* EXCLUDE (query_id, event_number),
    q.center_id,
    q.severity,
    lead(t.counts_from) OVER (PARTITION BY t.query_id ORDER BY t.counts_from) AS until_load
  FROM (
    SELECT * FROM told
    QUALIFY row_number() OVER (PARTITION BY query_id, counts_from ORDER BY event_number DESC) = 1
  ) AS t
  JOIN quality.query AS q USING (query_id)
)
SELECT
  l.load_id,
  s.center_id,
  s.severity,
  s.state,
  s.resolution,
  s.answered_at IS NOT NULL AS is_answered,
  s.is_not_corrected,
  s.is_reopened,
  s.was_settled,
  -- Whole days, never below 0: clocks of two machines may differ by seconds.
  greatest(0, date_diff('second', coalesce(s.asked_at, s.created_at), l.as_of) // 86400) AS age_days,
  greatest(0, date_diff('second', coalesce(s.sent_at, s.asked_at), s.answered_at) // 86400) AS days_to_answer
FROM span AS s
JOIN temp.scorecard_load AS l
  ON l.load_id >= s.counts_from AND l.load_id < coalesce(s.until_load, 2147483647)
