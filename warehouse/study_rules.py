"""Rules about the patients of all centers at once, judged in SQL when the warehouse is built.

`sql/study/<rule>.sql` gives one row per patient whom the rule is about: `usubjid, table, row_id, columns`.
Each becomes a finding of the delivery that holds the row, with the cells of that row only: what it
agrees with may stand in another center, which the finding does not name. The findings also go to the
vault with the local ids of their own center, for its packet.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from schemas.catalog import Catalog
from schemas.staging import FINDING, FINDING_FIELD
from warehouse.paths import StudyPaths, private_folder, replace_durably
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
_TOLD = """
INSERT INTO study_told
SELECT q.center_id, q.delivery_id, q.delivery_key, q.finding_id, q.rule_id, q.severity, q.disposition,
  q.scope, q."table", m.patient_id, q.row_id, NULL AS message
FROM quality.finding q
JOIN study_finding f USING (delivery_key, finding_id)
LEFT JOIN id_map m ON m.center_id = q.center_id AND m.usubjid = q.usubjid
"""
_TOLD_TABLE = """
CREATE OR REPLACE TEMP TABLE study_told (
  center_id VARCHAR, delivery_id VARCHAR, delivery_key INTEGER, finding_id BIGINT, rule_id VARCHAR,
  severity VARCHAR, disposition VARCHAR, scope VARCHAR, "table" VARCHAR, patient_id VARCHAR,
  row_id BIGINT, message VARCHAR
)
"""
_TOLD_FIELDS = """
SELECT t.center_id, t.delivery_id, x.finding_id, x.position, x."table", x."column", x.file, x.sheet,
  x."row", x.source_column, NULL::VARCHAR AS "value", NULL::VARCHAR AS understood
FROM quality.finding_field x JOIN study_told t USING (delivery_key, finding_id)
ORDER BY ALL
"""
_FILES = {"finding": FINDING, "finding_field": FINDING_FIELD}
_BETWEEN_CENTERS = frozenset({"DUP-02"})


def judge_study(con: duckdb.DuckDBPyConnection, catalog: Catalog, study_folder: Path) -> None:
    """Adds findings and outcomes of the rules on the whole study, for the deliveries in force.

    Needs temporary table `id_map`, `core`, `meta.source`, `meta.column_map` and `quality` filled. A rule that `quality.rule`
    does not hold is not judged; deliveries that are not in force keep the outcome `not_run`.
    """
    rows = " UNION ALL ".join(
        f'SELECT {quoted(table)} AS "table", row_id, source_id, source_row, map_id '
        f"FROM core.{name(table)}"
        for table in ("subject", "infusion")
        if table in catalog.tables
    )
    con.execute(_TOLD_TABLE).fetchall()
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
        for statement in (_FINDING, _FIELD, _OUTCOME, _TOLD):
            con.execute(filled(statement, values)).fetchall()
    _keep(con, StudyPaths(study_folder).study_findings)
    for table in ("study_finding", "study_told"):
        con.execute(f"DROP TABLE IF EXISTS temp.{table}").fetchall()


def study_findings(
    study_folder: Path, center_id: str, delivery_id: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Findings (FINDING) and their fields (FINDING_FIELD) of a delivery that the last build made."""
    found = []
    for file, schema in _FILES.items():
        path = StudyPaths(study_folder).study_findings / f"{file}.parquet"
        frame = pl.DataFrame(schema=schema)
        if path.is_file():
            mine = (pl.col("center_id") == center_id) & (pl.col("delivery_id") == delivery_id)
            frame = pl.read_parquet(path, glob=False).filter(mine).select(schema.names())
        found.append(frame.cast(schema))
    return found[0], found[1]


def _keep(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The findings into the vault, in the place of those of the build before."""
    private_folder(folder)
    for file, statement in (
        ("finding", "SELECT * EXCLUDE delivery_key FROM study_told ORDER BY ALL"),
        ("finding_field", _TOLD_FIELDS),
    ):
        temporary = folder / f".{file}.tmp"
        con.execute(f"COPY ({statement}) TO {quoted(str(temporary))} (FORMAT parquet)").fetchall()
        temporary.chmod(0o600)
        replace_durably(temporary, folder / f"{file}.parquet")
