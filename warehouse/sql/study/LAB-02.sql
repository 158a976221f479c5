-- study.LAB-02
-- Grain:   one row per reported ratio of light chains whose two chains were measured once on the same day.
-- Reads:   core.lab.
-- Feeds:   quality.finding.
-- The clause on the ratio of a rule whose range is judged row by row: kappa over lambda, recomputed, may differ
-- by 5 %. A ratio the other way round is swapped chains, or another definition: both are asked about.
WITH of_day AS (
  SELECT
    usubjid, lab_date, test::VARCHAR AS test,
    any_value("value") AS "value", min(row_id) AS row_id
  FROM core.lab
  WHERE
    test IN ('FLC_RATIO', 'FLC_KAPPA', 'FLC_LAMBDA')
    AND coalesce(lab_date_precision::VARCHAR, 'day') = 'day'
    AND "value" > 0 AND value_comparator IS NULL
  GROUP BY ALL
  HAVING count(*) = 1
), together AS (
  SELECT
    usubjid,
    any_value("value") FILTER (test = 'FLC_RATIO') AS told,
    any_value("value") FILTER (test = 'FLC_KAPPA') AS kappa_chain,
    any_value("value") FILTER (test = 'FLC_LAMBDA') AS lambda_chain,
    any_value(row_id) FILTER (test = 'FLC_RATIO') AS ratio_row,
    any_value(row_id) FILTER (test = 'FLC_KAPPA') AS kappa_row,
    any_value(row_id) FILTER (test = 'FLC_LAMBDA') AS lambda_row
  FROM of_day
  GROUP BY usubjid, lab_date
  HAVING count(*) = 3
)
SELECT
  usubjid,
  'lab' AS "table",
  ratio_row AS row_id,
  abs(told * lambda_chain / kappa_chain - 1) > 0.05 AS fails,
  [
    {'table': 'lab', 'row_id': ratio_row, 'column': 'value'},
    {'table': 'lab', 'row_id': kappa_row, 'column': 'value'},
    {'table': 'lab', 'row_id': lambda_row, 'column': 'value'}
  ] AS fields,
  NULL::VARCHAR AS message
FROM together
ORDER BY usubjid, row_id
