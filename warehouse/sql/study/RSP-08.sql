-- study.RSP-08
-- Grain:   one row per reported assessment (patient, line and day) that measurements of the same day, with
--          a known baseline, can be held against; progressions are judged by RSP-09.
-- Reads:   core.response, core.lab, analysis.imwg_response.
-- Feeds:   quality.finding.
-- M-protein and light chains cannot tell sCR from CR, and a missing element has cost the derived category
-- one level: a report may be so much deeper. It is too shallow only where nothing was missing.
WITH reported AS (
  SELECT
    usubjid, row_id, line_number, response_date,
    category::VARCHAR AS told,
    -- The deepest that "less than PR" can mean is MR.
    CASE category::VARCHAR
      WHEN 'sCR' THEN 6 WHEN 'CR' THEN 6 WHEN 'VGPR' THEN 5 WHEN 'PR' THEN 4 WHEN 'MR' THEN 3
      WHEN 'SD' THEN 2 WHEN 'LTPR' THEN 3
    END AS told_depth
  FROM core.response
  WHERE
    kind = 'ASSESSMENT'
    AND coalesce(response_date_precision, 'day') = 'day'
    AND category NOT IN ('PD', 'NE')
), held AS (
  SELECT
    reported.*,
    derived.* EXCLUDE (usubjid, line_number),
    CASE derived.category
      WHEN 'sCR' THEN 6 WHEN 'CR' THEN 6 WHEN 'VGPR' THEN 5 WHEN 'PR' THEN 4 WHEN 'MR' THEN 3
      WHEN 'SD' THEN 2 WHEN 'PD' THEN 1
    END AS depth,
    -- Marrow and tumors hold a category down that the protein would allow.
    CASE WHEN derived.criterion IN ('MARROW_CELLS', 'PLASMACYTOMA') THEN 6 ELSE depth END
      + (derived.missing IS NOT NULL)::INTEGER AS deepest
  FROM reported
  JOIN analysis.imwg_response derived
    ON derived.usubjid = reported.usubjid
    AND derived.line_number = reported.line_number
    AND derived.assessed_on = reported.response_date
  WHERE
    derived.measurable IN ('SERUM', 'URINE', 'SERUM_URINE', 'FLC')
    AND derived.category <> 'NE'
    AND (derived.category <> 'PD' OR derived.criterion IN ('SERUM', 'URINE', 'FLC'))
), judged AS (
  SELECT
    *,
    CASE
      WHEN told <> 'LTPR' AND told_depth - deepest >= 2 THEN true
      WHEN missing IS NULL AND depth - told_depth >= 2 THEN true
      ELSE false
    END AS fails
  FROM held
), cell AS (
  -- The deciding measurement where it stands: in the report, else in the laboratory of the day.
  SELECT j.row_id, 1 AS place, 'response' AS "table", r.row_id AS at_row, unnest([
    CASE WHEN j.measure = 'SERUM' AND r.m_protein_serum IS NOT NULL THEN 'm_protein_serum' END,
    CASE WHEN j.measure = 'URINE' AND r.m_protein_urine IS NOT NULL THEN 'm_protein_urine' END,
    CASE WHEN j.measure = 'FLC' AND r.flc_kappa IS NOT NULL THEN 'flc_kappa' END,
    CASE WHEN j.measure = 'FLC' AND r.flc_lambda IS NOT NULL THEN 'flc_lambda' END,
    CASE WHEN r.immunofixation IS NOT NULL THEN 'immunofixation' END
  ]) AS "column"
  FROM judged j
  JOIN core.response r ON r.row_id = j.response_row_id
  WHERE j.fails
  UNION ALL
  SELECT j.row_id, 2, 'lab', min(l.row_id), 'value'
  FROM judged j
  JOIN core.lab l ON l.usubjid = j.usubjid AND l.lab_date = j.response_date
  WHERE
    j.fails
    AND (
      (j.measure = 'SERUM' AND l.test = 'M_SERUM')
      OR (j.measure = 'URINE' AND l.test = 'M_URINE')
      OR (j.measure = 'FLC' AND l.test IN ('FLC_KAPPA', 'FLC_LAMBDA'))
    )
  GROUP BY j.row_id, l.test
), cells AS (
  SELECT
    row_id,
    list({'table': "table", 'row_id': at_row, 'column': "column"} ORDER BY place, at_row, "column") AS fields
  FROM cell
  WHERE "column" IS NOT NULL
  GROUP BY row_id
)
SELECT
  usubjid,
  'response' AS "table",
  row_id,
  fails,
  list_concat(
    [{'table': 'response', 'row_id': row_id, 'column': 'category'}], coalesce(cells.fields, [])
  ) AS fields,
  told || ' is reported, the measurements of the day give ' || category
    || coalesce(
      '; ' || CASE measure
        WHEN 'SERUM' THEN 'Serum M-protein (g/L)' WHEN 'URINE' THEN 'Urine M-protein (mg/24h)'
        ELSE 'Involved minus uninvolved light chain (mg/L)'
      END
      || ': ' || round("value", 1) || ', at baseline ' || round(baseline_value, 1)
      || ', lowest before ' || round(nadir, 1)
      || coalesce(', change from baseline ' || round(change_percent, 1) || ' %', ''),
      ''
    ) AS message
FROM judged
LEFT JOIN cells USING (row_id)
ORDER BY usubjid, row_id
