-- study.RSP-09
-- Grain:   one row per reported progression (patient, line and day) that measurements of the same day can be
--          held against: the test that is told as its basis, else all that decide a category.
-- Reads:   core.response, core.lab, analysis.imwg_response.
-- Feeds:   quality.finding.
-- Imaging and clinical signs as basis are not questioned. A test that is told as the basis and was not
-- measured, or does not decide in this disease, leaves the progression open.
WITH reported AS (
  SELECT
    usubjid, row_id, line_number, response_date,
    CASE WHEN progression_basis <> 'UNKNOWN' THEN progression_basis::VARCHAR END AS basis
  FROM core.response
  WHERE
    kind <> 'BEST'
    AND (kind = 'PROGRESSION' OR category = 'PD')
    AND coalesce(response_date_precision, 'day') = 'day'
), held AS (
  SELECT
    derived.usubjid,
    derived.response_row_id,
    derived.assessed_on,
    derived.category,
    derived.measure,
    derived."value",
    derived.nadir,
    derived.rise,
    max(reported.basis) AS basis,
    -- One question a day: about the report that holds the measurements, else the first.
    coalesce(min(reported.row_id) FILTER (reported.row_id = derived.response_row_id), min(reported.row_id))
      AS row_id
  FROM reported
  JOIN analysis.imwg_response derived
    ON derived.usubjid = reported.usubjid
    AND derived.line_number = reported.line_number
    AND derived.assessed_on = reported.response_date
  GROUP BY ALL
), judged AS (
  SELECT *, category <> 'PD' AS fails
  FROM held
  WHERE
    category = 'PD'
    OR (basis IS NULL AND category <> 'NE')
    OR (basis = measure AND rise IS NOT NULL)
), cell AS (
  -- Every measurement of the day where it stands: in the report, else in the laboratory.
  SELECT j.row_id, 1 AS place, 'response' AS "table", r.row_id AS at_row, unnest([
    CASE WHEN r.m_protein_serum IS NOT NULL THEN 'm_protein_serum' END,
    CASE WHEN r.m_protein_urine IS NOT NULL THEN 'm_protein_urine' END,
    CASE WHEN r.flc_kappa IS NOT NULL THEN 'flc_kappa' END,
    CASE WHEN r.flc_lambda IS NOT NULL THEN 'flc_lambda' END,
    CASE WHEN r.marrow_plasma_cells IS NOT NULL THEN 'marrow_plasma_cells' END,
    CASE WHEN r.immunofixation IS NOT NULL THEN 'immunofixation' END
  ]) AS "column"
  FROM judged j
  JOIN core.response r ON r.row_id = j.response_row_id
  WHERE j.fails
  UNION ALL
  SELECT j.row_id, 2, 'lab', min(l.row_id), 'value'
  FROM judged j
  JOIN core.lab l ON l.usubjid = j.usubjid AND l.lab_date = j.assessed_on
  WHERE j.fails AND l.test IN ('M_SERUM', 'M_URINE', 'FLC_KAPPA', 'FLC_LAMBDA', 'BMPC')
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
  'PD is reported, the measurements of the day give ' || category
    || coalesce(
      '; ' || CASE measure
        WHEN 'SERUM' THEN 'Serum M-protein (g/L)' WHEN 'URINE' THEN 'Urine M-protein (mg/24h)'
        WHEN 'FLC' THEN 'Involved minus uninvolved light chain (mg/L)' WHEN 'MARROW' THEN 'Plasma cells in marrow (%)'
      END
      || ': ' || round("value", 1) || ', lowest before ' || round(nadir, 1) || ', rise ' || round(rise, 1),
      ''
    ) AS message
FROM judged
LEFT JOIN cells USING (row_id)
ORDER BY usubjid, row_id
