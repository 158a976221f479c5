-- figure
-- Grain:   load, center, figure and level.
-- Reads:   quality.check_run, quality.rule, quality.ledger, the tables before it.
-- Feeds:   scorecard.
-- What cannot be judged has no row here, or the value null.
CREATE OR REPLACE TEMP TABLE scorecard_figure AS
WITH newest AS (SELECT max(load_id) AS load_id FROM temp.scorecard_load),
moved AS (
  SELECT
    d.load_id,
    d.center_id,
    sum(l.n_rows) FILTER (l.outcome = 'quarantined') AS n_held,
    sum(l.n_rows) FILTER (
      l.step = 'check' AND l.outcome = 'in' OR l.step <> 'check' AND l.outcome = 'quarantined'
    ) AS n_rows,
    sum(l.n_rows) FILTER (l.step = 'check' AND l.outcome = 'in' AND l."table" = 'subject') AS n_patients
  FROM temp.scorecard_delivery AS d
  JOIN quality.ledger AS l USING (delivery_key)
  GROUP BY ALL
),
checked AS (
  -- Rules that only inform find no fault. Rules on the whole study judge no state but the newest, so that nothing
  -- could be compared with them. Rules of reading do not count what they looked at: they have no denominator.
  SELECT
    d.load_id,
    d.center_id,
    r.kahn,
    sum(c.numerator) FILTER (c.denominator > 0) AS n_failed,
    sum(c.denominator) AS n_judged,
    sum(c.numerator) FILTER (c.denominator IS NULL) AS n_misread,
    bool_or(c.denominator IS NULL) AS was_read
  FROM temp.scorecard_delivery AS d
  JOIN quality.check_run AS c USING (delivery_key)
  JOIN quality.rule AS r USING (rule_id)
  WHERE c.outcome IN ('passed', 'failed') AND r.severity IN ('error', 'warning') AND r.engine IS DISTINCT FROM 'study'
  GROUP BY ALL
),
judged AS (
  -- All rules of reading together are one check of each row.
  SELECT
    k.load_id,
    k.center_id,
    k.kahn,
    coalesce(k.n_failed, 0) + CASE WHEN k.was_read THEN least(k.n_misread, coalesce(m.n_rows, 0)) ELSE 0 END AS n_failed,
    coalesce(k.n_judged, 0) + CASE WHEN k.was_read THEN coalesce(m.n_rows, 0) ELSE 0 END AS n_judged
  FROM checked AS k
  LEFT JOIN moved AS m USING (load_id, center_id)
),
known AS (
  -- Earlier states of core are not kept: known of the newest load alone.
  SELECT n.load_id, k.center_id, k.variable AS "level", sum(k.n_known) AS n_known, sum(k.n_patients) AS n_asked
  FROM temp.scorecard_known AS k, newest AS n
  GROUP BY GROUPING SETS ((n.load_id, k.center_id), (n.load_id, k.center_id, k.variable))
),
-- Every state and severity of every center, so that none is 0 and not empty.
place AS (
  SELECT c.load_id, c.center_id, s.state, v.severity
  FROM temp.scorecard_center AS c,
    (VALUES ('open'), ('answered'), ('candidate')) AS s (state),
    (VALUES ('error'), ('warning'), (NULL)) AS v (severity)
  WHERE EXISTS (
    SELECT 1 FROM temp.scorecard_delivery AS d WHERE d.load_id = c.load_id AND d.center_id = c.center_id
  ) OR EXISTS (
    SELECT 1 FROM temp.scorecard_query AS q WHERE q.load_id = c.load_id AND q.center_id = c.center_id
  )
),
waiting AS (
  SELECT
    p.load_id, p.center_id, p.state, p.severity,
    count(q.is_one) AS n, median(q.age_days) AS median_age, max(q.age_days) AS oldest_age
  FROM place AS p
  LEFT JOIN (
    SELECT load_id, center_id, state, age_days, true AS is_one, unnest([severity, NULL]) AS severity
    FROM temp.scorecard_query
    WHERE state IN ('open', 'answered', 'candidate')
  ) AS q
    ON q.load_id = p.load_id AND q.center_id = p.center_id AND q.state = p.state
    AND q.severity IS NOT DISTINCT FROM p.severity
  GROUP BY ALL
),
course AS (
  SELECT
    load_id,
    center_id,
    count(*) FILTER (is_answered) AS n_answered,
    median(days_to_answer) FILTER (is_answered) AS days_to_answer,
    count(*) FILTER (is_answered AND is_not_corrected) AS n_not_corrected,
    count(*) FILTER (was_settled) AS n_ever,
    count(*) FILTER (was_settled AND is_reopened) AS n_reopened,
    count(*) FILTER (state IN ('resolved', 'closed')) AS n_settled,
    count(*) FILTER (state IN ('resolved', 'closed') AND resolution = 'data_corrected') AS n_by_data
  FROM temp.scorecard_query
  GROUP BY ALL
),
counted AS (
  SELECT load_id, center_id, kahn AS figure, NULL::VARCHAR AS "level", n_judged - n_failed AS numerator,
    n_judged AS denominator, 1 AS factor
  FROM judged
  UNION ALL BY NAME
  SELECT load_id, center_id, 'held' AS figure, coalesce(n_held, 0) AS numerator, n_rows AS denominator, 1 AS factor FROM moved
  UNION ALL BY NAME
  SELECT load_id, center_id, 'known' AS figure, "level", n_known AS numerator, n_asked AS denominator, 1 AS factor FROM known
  UNION ALL BY NAME
  SELECT w.load_id, w.center_id, 'open_per_100' AS figure, w.n AS numerator, m.n_patients AS denominator, 100 AS factor
  FROM waiting AS w JOIN moved AS m USING (load_id, center_id)
  WHERE w.state = 'open' AND w.severity IS NULL
  UNION ALL BY NAME
  SELECT load_id, center_id, 'not_corrected' AS figure, n_not_corrected AS numerator, n_answered AS denominator, 1 AS factor
  FROM course
  UNION ALL BY NAME
  SELECT load_id, center_id, 'reopened' AS figure, n_reopened AS numerator, n_ever AS denominator, 1 AS factor FROM course
  UNION ALL BY NAME
  SELECT load_id, center_id, 'by_data' AS figure, n_by_data AS numerator, n_settled AS denominator, 1 AS factor FROM course
)
SELECT load_id, center_id, figure, "level", numerator::BIGINT AS numerator, denominator::BIGINT AS denominator,
  CASE WHEN denominator > 0 THEN factor * numerator / denominator END::DOUBLE AS "value"
FROM counted
UNION ALL BY NAME
SELECT load_id, center_id, state AS figure, severity AS "level", n::DOUBLE AS "value" FROM waiting
UNION ALL BY NAME
SELECT load_id, center_id, state || '_age_median' AS figure, severity AS "level", n AS denominator, median_age AS "value"
FROM waiting
UNION ALL BY NAME
SELECT load_id, center_id, state || '_age_oldest' AS figure, severity AS "level", n AS denominator, oldest_age::DOUBLE AS "value"
FROM waiting
UNION ALL BY NAME
SELECT load_id, center_id, 'days_to_answer' AS figure, n_answered AS denominator, days_to_answer AS "value" FROM course
