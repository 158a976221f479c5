-- study.RSP-06
-- Grain:   one row per complete response and value of the laboratory on its day that can contradict it.
-- Reads:   core.response, core.lab.
-- Feeds:   quality.finding.
-- The clause on table `lab` of a rule that is judged row by row on table `response`; the bounds are the same.
WITH told AS (
  SELECT
    r.usubjid, r.row_id, l.row_id AS lab_row_id, l.test::VARCHAR AS test,
    CASE l.test::VARCHAR
      WHEN 'IFE' THEN l.result = 'POSITIVE'
      WHEN 'M_SERUM' THEN l."value" > 0 AND coalesce(l.value_comparator::VARCHAR, '') NOT IN ('<', '<=')
      WHEN 'M_URINE' THEN l."value" >= 100 AND coalesce(l.value_comparator::VARCHAR, '') NOT IN ('<', '<=')
      WHEN 'BMPC' THEN l."value" >= 5 AND coalesce(l.value_comparator::VARCHAR, '') NOT IN ('<', '<=')
    END AS against
  FROM core.response r
  JOIN core.lab l
    ON l.usubjid = r.usubjid AND l.lab_date = r.response_date
    AND coalesce(l.lab_date_precision::VARCHAR, 'day') = 'day'
  WHERE
    r.category IN ('sCR', 'CR')
    AND coalesce(r.response_date_precision::VARCHAR, 'day') = 'day'
    AND l.test IN ('IFE', 'M_SERUM', 'M_URINE', 'BMPC')
    AND coalesce(l."value"::VARCHAR, l.result::VARCHAR) IS NOT NULL
)
SELECT
  usubjid,
  'response' AS "table",
  row_id,
  coalesce(against, false) AS fails,
  [
    {'table': 'response', 'row_id': row_id, 'column': 'category'},
    {'table': 'lab', 'row_id': lab_row_id, 'column': CASE test WHEN 'IFE' THEN 'result' ELSE 'value' END}
  ] AS fields,
  NULL::VARCHAR AS message
FROM told
ORDER BY usubjid, row_id, lab_row_id
