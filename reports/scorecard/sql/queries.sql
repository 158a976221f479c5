-- queries
-- Grain:   query; those that are not settled first.
-- Reads:   quality.query, quality.scorecard.
-- Feeds:   the list of queries, which ends with a limit.
WITH now AS (SELECT max(as_of) AS as_of FROM quality.scorecard)
SELECT
  q.query_id,
  q.center_id::VARCHAR AS center_id,
  q.usubjid,
  q.rule_id,
  q.severity,
  q."table",
  q.instance,
  q.field,
  q.state,
  q.resolution,
  q.n_reopened,
  q.answer,
  greatest(0, date_diff(
    'second',
    coalesce(q.released_at, q.created_at)::TIMESTAMP,
    coalesce(q.ended_at::TIMESTAMP, n.as_of)
  ) // 86400) AS age_days
FROM quality.query AS q, now AS n
ORDER BY
  list_position(['open', 'answered', 'candidate'], q.state) IS NULL,
  q.rule_id,
  q.center_id,
  age_days DESC,
  q.query_id
