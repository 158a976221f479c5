"""The statements by which what a rule on the whole study finds becomes findings, outcomes and cells.

`study_judged` is what the rule's own statement gave, `study_home` where its rows stand, `study_finding` what fails.
"""

from __future__ import annotations

JUDGED = """
CREATE OR REPLACE TEMP TABLE study_judged AS SELECT * FROM (${statement})
"""
COUNTED = """
SELECT count(*), count(*) FILTER (WHERE fails) FROM study_judged
"""
TABLES = """
SELECT DISTINCT unnest(list_distinct(list_transform(fields, lambda f: f."table")))
FROM study_judged WHERE fails
UNION SELECT DISTINCT "table" FROM study_judged
ORDER BY ALL
"""
HOME = """
CREATE OR REPLACE TEMP TABLE study_home AS
SELECT r."table", r.row_id, r.source_id, r.source_row, r.map_id, s.delivery_key
FROM (${rows}) r
SEMI JOIN (
  SELECT "table", row_id FROM study_judged
  UNION ALL
  SELECT cell."table", cell.row_id FROM (SELECT unnest(fields) AS cell FROM study_judged WHERE fails)
) USING ("table", row_id)
JOIN meta.source s USING (source_id)
"""
FOUND = """
CREATE OR REPLACE TEMP TABLE study_finding AS
SELECT
  d.delivery_key, d.load_id, d.center_id, d.delivery_id, j.usubjid, j."table", j.row_id, j.fields, j.message,
  coalesce((SELECT max(q.finding_id) FROM quality.finding q WHERE q.delivery_key = d.delivery_key), 0)
    + row_number() OVER (PARTITION BY d.delivery_key ORDER BY j.usubjid, j.row_id) AS finding_id
FROM study_judged j
JOIN study_home h USING ("table", row_id)
JOIN quality.delivery d USING (delivery_key)
WHERE j.fails
"""
FINDING = """
INSERT INTO quality.finding
SELECT f.delivery_key, f.load_id, f.center_id, f.delivery_id, f.finding_id, r.rule_id,
  CASE r.engine WHEN 'rows' THEN 'warning' ELSE r.severity END,
  CASE r.engine WHEN 'rows' THEN 'keep_query' ELSE r.disposition END, r.scope, f."table", f.usubjid, f.row_id
FROM study_finding f JOIN quality.rule r ON r.rule_id = ${rule}
"""
FIELD = """
INSERT INTO quality.finding_field
SELECT f.delivery_key, f.finding_id, f.position, f."table", f."column", s.file, s.sheet, h.source_row,
  m.source_column, NULL
FROM (
  SELECT delivery_key, finding_id, unnest(fields, recursive := true),
    generate_subscripts(fields, 1) AS position
  FROM study_finding
) f
JOIN study_home h USING ("table", row_id)
JOIN meta.source s USING (source_id)
LEFT JOIN meta.column_map m
  ON m.map_id = h.map_id AND m."table" = f."table" AND m."column" = f."column" AND m.slot = 1
"""
PATIENTS = """
SELECT s.delivery_key, count(DISTINCT c.usubjid) AS n
FROM core.subject c JOIN meta.source s USING (source_id) GROUP BY ALL
"""
FACTS = """
SELECT h.delivery_key, count(*) AS n FROM study_judged j JOIN study_home h USING ("table", row_id) GROUP BY ALL
"""
OUTCOME = """
INSERT INTO quality.check_run
WITH judged AS (${judged}), found AS (${found})
SELECT d.delivery_key, d.load_id, r.rule_id, r.severity, found."table",
  CASE WHEN found.n > 0 THEN 'failed' WHEN NOT ${can_run} THEN 'not_run'
    WHEN judged.n > 0 AND ${applies} THEN 'passed' ELSE 'not_applicable' END,
  coalesce(found.n, 0), coalesce(judged.n, 0),
  CASE WHEN NOT ${can_run} THEN ${why_not} WHEN NOT ${applies} THEN ${why_not_applicable} END
FROM quality.delivery d
JOIN quality.rule r ON r.rule_id = ${rule}
LEFT JOIN judged USING (delivery_key)
LEFT JOIN found USING (delivery_key)
WHERE d.is_current
"""
FURTHER_OUTCOME = """
INSERT INTO quality.check_run
WITH judged AS (${judged}), found AS (${found})
SELECT d.delivery_key, d.load_id, ${rule}, 'warning', 'lab',
  CASE WHEN found.n > 0 THEN 'failed' WHEN judged.n > 0 THEN 'passed' ELSE 'not_applicable' END,
  coalesce(found.n, 0), coalesce(judged.n, 0), NULL
FROM quality.delivery d
LEFT JOIN judged USING (delivery_key)
LEFT JOIN found USING (delivery_key)
WHERE d.is_current AND d.delivery_key IN (
  SELECT delivery_key FROM meta.column_map WHERE "table" = 'lab' AND "column" IN ('value', 'result')
)
"""
MAPPED = """
d.delivery_key IN (
  SELECT delivery_key FROM meta.column_map
  WHERE ("table" = 'lab' AND "column" = 'value') OR ("table" = 'response' AND "column" IN (
    'm_protein_serum', 'm_protein_urine', 'flc_kappa', 'flc_lambda', 'marrow_plasma_cells', 'immunofixation'
  ))
)
"""
FOUND_BY_DELIVERY = """
SELECT delivery_key, any_value("table") AS "table", count(*) AS n FROM study_finding GROUP BY ALL
"""
NONE = """
SELECT NULL::INTEGER AS delivery_key, NULL::VARCHAR AS "table", NULL::BIGINT AS n LIMIT 0
"""
SEVERAL = "(SELECT count(DISTINCT center_id) > 1 FROM core.subject)"
TOLD = """
INSERT INTO study_told
SELECT q.center_id, q.delivery_id, q.delivery_key, q.finding_id, q.rule_id, q.severity, q.disposition,
  q.scope, q."table", m.patient_id, q.row_id, f.message
FROM quality.finding q
JOIN study_finding f USING (delivery_key, finding_id)
LEFT JOIN id_map m ON m.center_id = q.center_id AND m.usubjid = q.usubjid
"""
TOLD_TABLE = """
CREATE OR REPLACE TEMP TABLE study_told (
  center_id VARCHAR, delivery_id VARCHAR, delivery_key INTEGER, finding_id BIGINT, rule_id VARCHAR,
  severity VARCHAR, disposition VARCHAR, scope VARCHAR, "table" VARCHAR, patient_id VARCHAR,
  row_id BIGINT, message VARCHAR
)
"""
UNDERSTOOD_TABLE = """
CREATE OR REPLACE TEMP TABLE study_understood (
  delivery_key INTEGER, finding_id BIGINT, position BIGINT, understood VARCHAR
)
"""
CELLS = """
SELECT delivery_key, finding_id, unnest(fields, recursive := true),
  generate_subscripts(fields, 1) AS position
FROM study_finding
"""
UNDERSTOOD = """
INSERT INTO study_understood
SELECT f.delivery_key, f.finding_id, f.position, ${text}
FROM (${cells}) f JOIN core.${name} c ON c.row_id = f.row_id
WHERE f."table" = ${table} AND f."column" = ${column}
"""
KNOWN_PART = """
CASE c.${precision} WHEN 'year' THEN strftime(c.${column}, '%Y') WHEN 'month' THEN strftime(c.${column}, '%Y-%m')
  ELSE strftime(c.${column}, '%Y-%m-%d') END
"""
HAS = """
SELECT count(*) FROM duckdb_columns()
WHERE schema_name = 'core' AND table_name = ${table} AND column_name = ${column}
"""
TOLD_FIELDS = """
SELECT t.center_id, t.delivery_id, x.finding_id, x.position, x."table", x."column",
  -- In the vault, for the center, the names as they came.
  CASE WHEN n.number IS NULL THEN x.file ELSE n.file END AS file,
  CASE WHEN n.number IS NULL THEN x.sheet ELSE n.sheet END AS sheet, x."row", x.source_column, NULL::VARCHAR AS "value", u.understood
FROM quality.finding_field x
JOIN study_told t USING (delivery_key, finding_id)
LEFT JOIN study_understood u USING (delivery_key, finding_id, position)
LEFT JOIN shown_name n ON n.number = x.delivery_key
  AND n.shown_file IS NOT DISTINCT FROM x.file AND n.shown_sheet IS NOT DISTINCT FROM x.sheet
ORDER BY ALL
"""
NOT_YET = """
DELETE FROM quality.check_run
WHERE rule_id IN (${rules}) AND delivery_key IN (SELECT delivery_key FROM quality.delivery WHERE is_current)
"""
COMPARED = """
SELECT delivery_key, n FROM delivery_compared WHERE rule_id = ${rule}
"""
CHANGE_UNDERSTOOD = """
INSERT INTO study_understood
SELECT f.delivery_key, f.finding_id, 1, u.understood
FROM study_finding f
JOIN unasked_change u ON u."table" = f."table" AND u.row_id = f.row_id AND u.rule_id = ${rule}
"""
