-- study.DUP-05
-- Grain:   one row per patient whose record has at least eight dates and laboratory values of another
--          patient of the center.
-- Reads:   core.subject, core.infusion, core.relapse, core.treatment_line, core.risk, core.lab.
-- Feeds:   quality.finding.
-- Only patients who share two independent dates, or three laboratory values before CAR-T, are compared.
WITH days AS (
  SELECT usubjid, 'diagnosis' AS item, diagnosis_date AS day
  FROM core.subject WHERE diagnosis_date_precision = 'day'
  UNION ALL
  SELECT usubjid, 'infusion' || infusion_number, infusion_date
  FROM core.infusion WHERE infusion_date_precision = 'day'
  UNION ALL
  SELECT usubjid, 'relapse' || relapse_number, relapse_date
  FROM core.relapse WHERE relapse_date_precision = 'day'
  UNION ALL
  SELECT usubjid, 'line' || line_number, start_date
  FROM core.treatment_line WHERE start_date_precision = 'day'
), facts AS (
  SELECT usubjid, item, day::VARCHAR AS fact FROM days
  UNION ALL
  SELECT usubjid, 'apheresis' || infusion_number, apheresis_date::VARCHAR
  FROM core.infusion WHERE apheresis_date_precision = 'day'
  UNION ALL
  SELECT usubjid, 'lymphodepletion' || infusion_number, lymphodepletion_date::VARCHAR
  FROM core.infusion WHERE lymphodepletion_date_precision = 'day'
  UNION ALL
  SELECT usubjid, 'imaging' || relapse_number, imaging_date::VARCHAR
  FROM core.relapse WHERE imaging_date_precision = 'day'
  UNION ALL
  SELECT usubjid, 'line end' || line_number, end_date::VARCHAR
  FROM core.treatment_line WHERE end_date_precision = 'day'
  UNION ALL
  SELECT usubjid, timepoint || item, fact::VARCHAR
  FROM (SELECT usubjid, timepoint, b2m, albumin, ldh, ferritin, creatinine FROM core.risk)
    UNPIVOT (fact FOR item IN (b2m, albumin, ldh, ferritin, creatinine))
), rich AS (
  SELECT usubjid
  FROM (
    SELECT usubjid, count(*) AS n FROM facts GROUP BY usubjid
    UNION ALL
    SELECT usubjid, count("value") FROM core.lab GROUP BY usubjid
  )
  GROUP BY usubjid
  HAVING sum(n) >= 8
), firsts AS (
  SELECT
    s.usubjid,
    s.center_id,
    max(day) FILTER (item = 'diagnosis') AS diagnosis,
    max(day) FILTER (item = 'infusion1') AS infusion,
    max(day) FILTER (item = 'relapse1') AS relapse,
    max(day) FILTER (item = 'line1') AS line
  FROM core.subject s
  JOIN days USING (usubjid)
  SEMI JOIN rich USING (usubjid)
  GROUP BY ALL
), keys AS (
  SELECT usubjid, center_id, unnest([
    'D' || diagnosis || 'I' || infusion, 'D' || diagnosis || 'R' || relapse, 'D' || diagnosis || 'L' || line,
    'I' || infusion || 'R' || relapse, 'I' || infusion || 'L' || line, 'R' || relapse || 'L' || line
  ]) AS key
  FROM firsts
  UNION ALL
  SELECT usubjid, center_id, timepoint || ' ' || b2m || ' ' || ldh || ' ' || ferritin
  FROM core.risk SEMI JOIN rich USING (usubjid)
), pairs AS (
  SELECT DISTINCT a.usubjid, b.usubjid AS other
  FROM keys a
  JOIN keys b ON a.center_id = b.center_id AND a.key = b.key AND a.usubjid <> b.usubjid
), compared AS (
  SELECT usubjid, item, fact FROM facts SEMI JOIN pairs USING (usubjid)
  UNION ALL
  SELECT usubjid, 'lab ' || test || lab_date, "value"::VARCHAR
  FROM core.lab SEMI JOIN pairs USING (usubjid)
  WHERE lab_date_precision = 'day' AND "value" IS NOT NULL
), told AS (
  SELECT p.usubjid
  FROM pairs p
  JOIN compared a ON a.usubjid = p.usubjid
  JOIN compared b ON b.usubjid = p.other AND b.item = a.item AND b.fact = a.fact
  GROUP BY p.usubjid, p.other
  HAVING count(DISTINCT a.item) >= 8
)
SELECT DISTINCT
  s.usubjid,
  'subject' AS "table",
  s.row_id,
  true AS fails,
  [{'table': 'subject', 'row_id': s.row_id, 'column': 'birth_year'}] AS fields,
  NULL::VARCHAR AS message
FROM core.subject s
SEMI JOIN told USING (usubjid)
ORDER BY s.usubjid
