-- waiting
-- Grain:   center and rule with questions that the center was asked and that are not settled.
-- Reads:   quality.query, quality.scorecard.
-- Feeds:   the page of the center. No patient and no record.
WITH now AS (SELECT max(as_of) AS as_of FROM quality.scorecard),
asked AS (
  SELECT
    q.center_id::VARCHAR AS center_id,
    q.rule_id,
    q.severity,
    q.state,
    greatest(0, date_diff('second', coalesce(q.released_at, q.created_at)::TIMESTAMP, n.as_of) // 86400) AS age_days
  FROM quality.query AS q, now AS n
  WHERE q.state IN ('open', 'answered')
)
SELECT
  center_id,
  rule_id,
  min(severity) AS severity,
  count(*) FILTER (state = 'open') AS n_open,
  count(*) FILTER (state = 'answered') AS n_answered,
  count(*) FILTER (age_days <= 30) AS n_30,
  count(*) FILTER (age_days > 30 AND age_days <= 60) AS n_60,
  count(*) FILTER (age_days > 60 AND age_days <= 90) AS n_90,
  count(*) FILTER (age_days > 90) AS n_more,
  max(age_days) AS oldest
FROM asked
GROUP BY center_id, rule_id
ORDER BY center_id, min(severity) = 'error' DESC, n_open DESC, rule_id
