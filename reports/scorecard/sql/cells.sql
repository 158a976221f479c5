-- cells
-- Grain:   rule and center with something to see: queries that are not settled, or rows that were judged.
-- Reads:   quality.query, quality.check_run, quality.delivery.
-- Feeds:   the heat map.
WITH asked AS (
  SELECT
    rule_id,
    center_id::VARCHAR AS center_id,
    count(*) FILTER (state = 'open') AS n_open,
    count(*) FILTER (state = 'answered') AS n_answered,
    count(*) FILTER (state = 'candidate') AS n_candidate,
    count(*) FILTER (state NOT IN ('open', 'answered', 'candidate')) AS n_ended
  FROM quality.query
  GROUP BY ALL
),
judged AS (
  SELECT
    c.rule_id,
    d.center_id::VARCHAR AS center_id,
    sum(c.numerator)::BIGINT AS n_failed,
    -- Rules of reading do not count what they looked at.
    sum(c.denominator) FILTER (c.denominator > 0)::BIGINT AS n_judged,
    true AS is_judged
  FROM quality.check_run AS c
  JOIN quality.delivery AS d USING (delivery_key)
  WHERE d.is_current AND c.outcome IN ('passed', 'failed') AND (c.denominator > 0 OR c.denominator IS NULL)
    AND NOT starts_with(c.rule_id, 'AUD-') -- the audit has a page of its own
  GROUP BY ALL
)
SELECT
  rule_id,
  center_id,
  coalesce(n_open, 0) AS n_open,
  coalesce(n_answered, 0) AS n_answered,
  coalesce(n_candidate, 0) AS n_candidate,
  coalesce(n_ended, 0) AS n_ended,
  n_failed,
  n_judged,
  coalesce(is_judged, false) AS is_judged
FROM asked
FULL JOIN judged USING (rule_id, center_id)
ORDER BY rule_id, center_id
