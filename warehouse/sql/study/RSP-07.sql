-- study.RSP-07
-- Grain:   one row per stringent complete response with light chains of the laboratory on its day.
-- Reads:   core.response, core.lab.
-- Feeds:   quality.finding.
-- The clause on table `lab` of a rule that is judged row by row on table `response`; the range is the same. A
-- ratio of the laboratory is taken as it is, else the two chains, if each was measured once.
WITH of_day AS (
  SELECT
    usubjid, lab_date, test::VARCHAR AS test,
    any_value("value") AS "value", min(row_id) AS row_id
  FROM core.lab
  WHERE
    test IN ('FLC_RATIO', 'FLC_KAPPA', 'FLC_LAMBDA')
    AND coalesce(lab_date_precision::VARCHAR, 'day') = 'day'
    AND "value" IS NOT NULL AND value_comparator IS NULL
  GROUP BY ALL
  HAVING count(*) = 1
), ratio AS (
  SELECT
    usubjid, lab_date,
    coalesce(
      any_value("value") FILTER (test = 'FLC_RATIO'),
      any_value("value") FILTER (test = 'FLC_KAPPA') / nullif(any_value("value") FILTER (test = 'FLC_LAMBDA'), 0)
    ) AS ratio,
    coalesce(
      list(row_id) FILTER (test = 'FLC_RATIO'),
      list(row_id ORDER BY test) FILTER (test <> 'FLC_RATIO')
    ) AS rows
  FROM of_day
  GROUP BY ALL
)
SELECT
  r.usubjid,
  'response' AS "table",
  r.row_id,
  ratio.ratio < 0.26 OR ratio.ratio > 1.65 AS fails,
  list_concat(
    [{'table': 'response', 'row_id': r.row_id, 'column': 'category'}],
    list_transform(ratio.rows, lambda one: {'table': 'lab', 'row_id': one, 'column': 'value'})
  ) AS fields,
  NULL::VARCHAR AS message
FROM core.response r
JOIN ratio ON ratio.usubjid = r.usubjid AND ratio.lab_date = r.response_date
WHERE
  r.category = 'sCR'
  AND coalesce(r.response_date_precision::VARCHAR, 'day') = 'day'
  AND ratio.ratio IS NOT NULL
ORDER BY r.usubjid, r.row_id
