"""Rules about the patients of all centers at once, judged in SQL when the warehouse is built.

`sql/study/<rule>.sql` gives one row per patient whom the rule is about: `usubjid, table, row_id, columns`.
Each becomes a finding of the delivery that holds the row, with the cells of that row only: what it
agrees with may stand in another center, which the finding does not name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.catalog import Catalog
from warehouse.sql_text import filled, name, quoted, sql_file, sql_names

if TYPE_CHECKING:
    import duckdb

_HOME = """
CREATE OR REPLACE TEMP TABLE study_finding AS
SELECT
  d.delivery_key, d.load_id, d.center_id, d.delivery_id, f.usubjid, f."table", f.row_id, f.columns,
  coalesce((SELECT max(q.finding_id) FROM quality.finding q WHERE q.delivery_key = d.delivery_key), 0)
    + row_number() OVER (PARTITION BY d.delivery_key ORDER BY f.usubjid, f.row_id) AS finding_id,
  r.source_id, r.source_row, r.map_id
FROM (${statement}) f
JOIN ${rows} r ON r."table" = f."table" AND r.row_id = f.row_id
JOIN meta.source s ON s.source_id = r.source_id
JOIN quality.delivery d ON d.delivery_key = s.delivery_key
"""
_FINDING = """
INSERT INTO quality.finding
SELECT f.delivery_key, f.load_id, f.center_id, f.delivery_id, f.finding_id, r.rule_id, r.severity,
  r.disposition, r.scope, f."table", f.usubjid, f.row_id
FROM study_finding f JOIN quality.rule r ON r.rule_id = ${rule}
"""
_FIELD = """
INSERT INTO quality.finding_field
SELECT f.delivery_key, f.finding_id, f.position, f."table", f."column", s.file, s.sheet, f.source_row,
  m.source_column, NULL
FROM (
  SELECT *, unnest(columns) AS "column", generate_subscripts(columns, 1) AS position FROM study_finding
) f
JOIN meta.source s ON s.source_id = f.source_id
LEFT JOIN meta.column_map m
  ON m.map_id = f.map_id AND m."table" = f."table" AND m."column" = f."column" AND m.slot = 1
"""
_OUTCOME = """
INSERT INTO quality.check_run
WITH patient AS (
  SELECT s.delivery_key, count(DISTINCT c.usubjid) AS n
  FROM core.subject c JOIN meta.source s ON s.source_id = c.source_id GROUP BY ALL
), found AS (
  SELECT delivery_key, any_value("table") AS "table", count(*) AS n FROM study_finding GROUP BY ALL
)
SELECT d.delivery_key, d.load_id, r.rule_id, r.severity, found."table",
  CASE WHEN found.n > 0 THEN 'failed' WHEN patient.n > 0 AND ${n_centers} THEN 'passed'
    ELSE 'not_applicable' END,
  coalesce(found.n, 0), coalesce(patient.n, 0),
  CASE WHEN NOT ${n_centers} THEN 'there is one center only' END
FROM quality.delivery d
JOIN quality.rule r ON r.rule_id = ${rule}
LEFT JOIN patient USING (delivery_key)
LEFT JOIN found USING (delivery_key)
WHERE d.is_current
"""
_BETWEEN_CENTERS = frozenset({"DUP-02"})


def judge_study(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Adds findings and outcomes of the rules on the whole study, for the deliveries in force.

    Needs `core`, `meta.source`, `meta.column_map` and `quality` filled. A rule that `quality.rule`
    does not hold is not judged; deliveries that are not in force keep the outcome `not_run`.
    """
    rows = " UNION ALL ".join(
        f'SELECT {quoted(table)} AS "table", row_id, source_id, source_row, map_id '
        f"FROM core.{name(table)}"
        for table in ("subject", "infusion")
        if table in catalog.tables
    )
    for rule in sql_names("study"):
        known = con.execute(f"SELECT count(*) FROM quality.rule WHERE rule_id = {quoted(rule)}")
        if known.fetchall() == [(0,)]:
            continue
        several = "(SELECT count(DISTINCT center_id) > 1 FROM core.subject)"
        values = {
            "statement": sql_file("study", rule),
            "rows": f"({rows})",
            "rule": quoted(rule),
            "n_centers": several if rule in _BETWEEN_CENTERS else "true",
        }
        con.execute(filled(_HOME, values)).fetchall()
        con.execute(
            f"DELETE FROM quality.check_run WHERE rule_id = {quoted(rule)} AND delivery_key IN "
            "(SELECT delivery_key FROM quality.delivery WHERE is_current)"
        ).fetchall()
        for statement in (_FINDING, _FIELD, _OUTCOME):
            con.execute(filled(statement, values)).fetchall()
    con.execute("DROP TABLE IF EXISTS temp.study_finding").fetchall()
