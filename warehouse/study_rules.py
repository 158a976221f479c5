"""Rules that need the whole warehouse: judged in SQL when it is built, after the derivation.

`sql/study/<rule>.sql` gives one row per fact that it judges or finds: `usubjid, table, row_id, fails,
fields, message`; `fields` are the cells concerned (`table, row_id, column`). What fails becomes a finding
of the delivery that holds the row, with cells of that center only: what it agrees with may stand in
another one, which the finding does not name. The findings also go to the vault with the local ids of
their own center, for its packet; only there is the message.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from schemas.staging import FINDING, FINDING_FIELD
from warehouse.delivered_cells import with_delivered_values
from warehouse.paths import StudyPaths, private_folder, replace_durably
from warehouse.sql_text import filled, name, quoted, sql_file, sql_names

if TYPE_CHECKING:
    import duckdb

_JUDGED = """
CREATE OR REPLACE TEMP TABLE study_judged AS SELECT * FROM (${statement})
"""
_COUNTED = """
SELECT count(*), count(*) FILTER (WHERE fails) FROM study_judged
"""
_TABLES = """
SELECT DISTINCT unnest(list_distinct(list_transform(fields, lambda f: f."table")))
FROM study_judged WHERE fails
UNION SELECT DISTINCT "table" FROM study_judged
ORDER BY ALL
"""
_HOME = """
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
_FOUND = """
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
_FINDING = """
INSERT INTO quality.finding
SELECT f.delivery_key, f.load_id, f.center_id, f.delivery_id, f.finding_id, r.rule_id,
  CASE r.engine WHEN 'rows' THEN 'warning' ELSE r.severity END,
  CASE r.engine WHEN 'rows' THEN 'keep_query' ELSE r.disposition END, r.scope, f."table", f.usubjid, f.row_id
FROM study_finding f JOIN quality.rule r ON r.rule_id = ${rule}
"""
_FIELD = """
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
_PATIENTS = """
SELECT s.delivery_key, count(DISTINCT c.usubjid) AS n
FROM core.subject c JOIN meta.source s USING (source_id) GROUP BY ALL
"""
_FACTS = """
SELECT h.delivery_key, count(*) AS n FROM study_judged j JOIN study_home h USING ("table", row_id) GROUP BY ALL
"""
_OUTCOME = """
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
_FURTHER_OUTCOME = """
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
_MAPPED = """
d.delivery_key IN (
  SELECT delivery_key FROM meta.column_map
  WHERE ("table" = 'lab' AND "column" = 'value') OR ("table" = 'response' AND "column" IN (
    'm_protein_serum', 'm_protein_urine', 'flc_kappa', 'flc_lambda', 'marrow_plasma_cells', 'immunofixation'
  ))
)
"""
_FOUND_BY_DELIVERY = """
SELECT delivery_key, any_value("table") AS "table", count(*) AS n FROM study_finding GROUP BY ALL
"""
_NONE = """
SELECT NULL::INTEGER AS delivery_key, NULL::VARCHAR AS "table", NULL::BIGINT AS n LIMIT 0
"""
_SEVERAL = "(SELECT count(DISTINCT center_id) > 1 FROM core.subject)"
_TOLD = """
INSERT INTO study_told
SELECT q.center_id, q.delivery_id, q.delivery_key, q.finding_id, q.rule_id, q.severity, q.disposition,
  q.scope, q."table", m.patient_id, q.row_id, f.message
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
_UNDERSTOOD_TABLE = """
CREATE OR REPLACE TEMP TABLE study_understood (
  delivery_key INTEGER, finding_id BIGINT, position BIGINT, understood VARCHAR
)
"""
_CELLS = """
SELECT delivery_key, finding_id, unnest(fields, recursive := true),
  generate_subscripts(fields, 1) AS position
FROM study_finding
"""
_UNDERSTOOD = """
INSERT INTO study_understood
SELECT f.delivery_key, f.finding_id, f.position, ${text}
FROM (${cells}) f JOIN core.${name} c ON c.row_id = f.row_id
WHERE f."table" = ${table} AND f."column" = ${column}
"""
_KNOWN_PART = """
CASE c.${precision} WHEN 'year' THEN strftime(c.${column}, '%Y') WHEN 'month' THEN strftime(c.${column}, '%Y-%m')
  ELSE strftime(c.${column}, '%Y-%m-%d') END
"""
_HAS = """
SELECT count(*) FROM duckdb_columns()
WHERE schema_name = 'core' AND table_name = ${table} AND column_name = ${column}
"""
_TOLD_FIELDS = """
SELECT t.center_id, t.delivery_id, x.finding_id, x.position, x."table", x."column", x.file, x.sheet,
  x."row", x.source_column, NULL::VARCHAR AS "value", u.understood
FROM quality.finding_field x
JOIN study_told t USING (delivery_key, finding_id)
LEFT JOIN study_understood u USING (delivery_key, finding_id, position)
ORDER BY ALL
"""
_NOT_YET = """
DELETE FROM quality.check_run
WHERE rule_id IN (${rules}) AND delivery_key IN (SELECT delivery_key FROM quality.delivery WHERE is_current)
"""
_FILES = {"finding": FINDING, "finding_field": FINDING_FIELD}
_ON_CHANGES = "DLV-"
_LATER = "d.delivery_key IN (SELECT delivery_key FROM delivery_compared)"
_BETWEEN_CENTERS = frozenset({"DUP-02"})
# Rules on responses: what they judge are facts that measurements decide, not patients.
_ON_MEASUREMENTS = frozenset({"RSP-08", "RSP-09"})
# Rules on what a delivery changes: `delivery_diff` compares, and leaves the facts in these tables.
_COMPARED = """
SELECT delivery_key, n FROM delivery_compared WHERE rule_id = ${rule}
"""
_COMPARED_TABLES = (
    "unasked_change (rule_id VARCHAR, usubjid VARCHAR, "
    '"table" VARCHAR, row_id BIGINT, "column" VARCHAR, understood VARCHAR, message VARCHAR)',
    "delivery_compared (delivery_key INTEGER, rule_id VARCHAR, n BIGINT)",
    'held_home ("table" VARCHAR, row_id BIGINT, source_id INTEGER, source_row INTEGER, map_id INTEGER)',
)
_CHANGE_UNDERSTOOD = """
INSERT INTO study_understood
SELECT f.delivery_key, f.finding_id, 1, u.understood
FROM study_finding f
JOIN unasked_change u ON u."table" = f."table" AND u.row_id = f.row_id AND u.rule_id = ${rule}
"""
_DERIVED = re.compile(r"\banalysis\.(\w+)")


def judge_study(con: duckdb.DuckDBPyConnection, study_folder: Path) -> None:
    """Adds findings and outcomes of the rules on the whole study, for the deliveries in force.

    Needs temporary table `id_map`, `core`, `meta.source`, `meta.column_map` and `quality` filled. A rule that `quality.rule`
    does not hold is not judged, and one that reads a table of `analysis` that was not derived is `not_run`;
    deliveries that are not in force keep the outcome `not_run`.
    """
    con.execute(_TOLD_TABLE).fetchall()
    for table in _COMPARED_TABLES:
        con.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table}").fetchall()
    con.execute(_UNDERSTOOD_TABLE).fetchall()
    known = dict(con.execute("SELECT rule_id, engine FROM quality.rule").fetchall())
    tables = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'analysis' AND NOT temporary"
    )
    derived = {row[0] for row in tables.fetchall()}
    statements = {rule: sql_file("study", rule) for rule in sql_names("study") if rule in known}
    judged = {r: s for r, s in statements.items() if set(_DERIVED.findall(s)) <= derived}
    replaced = ", ".join(quoted(rule) for rule in judged if known[rule] != "rows")
    if replaced:
        con.execute(filled(_NOT_YET, {"rules": replaced})).fetchall()
    for rule, statement in judged.items():
        _judge(con, rule, statement, further=known[rule] == "rows")
    _keep(con, study_folder)
    for table in ("study_finding", "study_told", "study_understood", "study_judged", "study_home"):
        con.execute(f"DROP TABLE IF EXISTS temp.{table}").fetchall()
    for table in _COMPARED_TABLES:
        con.execute(f"DROP TABLE temp.{table.split(' ')[0]}").fetchall()


def _judge(con: duckdb.DuckDBPyConnection, rule: str, statement: str, *, further: bool) -> None:
    con.execute(filled(_JUDGED, {"statement": statement})).fetchall()
    n_judged, n_failing = con.execute(_COUNTED).fetchall()[0]
    on_changes = rule.startswith(_ON_CHANGES)
    on_measurements = further or rule in _ON_MEASUREMENTS
    values = {
        "rule": quoted(rule),
        "judged": _judged_of(rule, on_measurements=on_measurements),
        "found": _FOUND_BY_DELIVERY,
        "can_run": _MAPPED if on_measurements else "true",
        "why_not": quoted("no measurements of the disease are delivered"),
        "applies": _SEVERAL if rule in _BETWEEN_CENTERS else _LATER if on_changes else "true",
        "why_not_applicable": quoted(
            "there is no delivery before it" if on_changes else "there is one center only"
        ),
    }
    outcome = _FURTHER_OUTCOME if further else _OUTCOME
    if n_judged and (n_failing or on_measurements):
        _find_home(con, on_changes=on_changes)
    elif on_measurements:
        values["judged"] = _NONE
    if not n_failing:  # most rules on most loads: half of the statements would add nothing
        con.execute(filled(outcome, {**values, "found": _NONE})).fetchall()
        return
    con.execute(_FOUND).fetchall()
    for step in (_FINDING, _FIELD, outcome, _TOLD):
        con.execute(filled(step, values)).fetchall()
    if on_changes:
        con.execute(filled(_CHANGE_UNDERSTOOD, values)).fetchall()
    else:
        _understand(con)


def _find_home(con: duckdb.DuckDBPyConnection, *, on_changes: bool) -> None:
    """study_home: the delivery and address of each row that is judged or named."""
    rows = [
        f'SELECT {quoted(table)} AS "table", row_id, source_id, source_row, map_id FROM core.{name(table)}'
        for (table,) in con.execute(_TABLES).fetchall()
    ]
    if on_changes:
        rows.append("FROM held_home")
    con.execute(filled(_HOME, {"rows": " UNION ALL ".join(rows)})).fetchall()


def _judged_of(rule: str, *, on_measurements: bool) -> str:
    """SQL: delivery_key, n facts that were judged."""
    if rule.startswith(_ON_CHANGES):
        return filled(_COMPARED, {"rule": quoted(rule)})
    return _FACTS if on_measurements else _PATIENTS


def _understand(con: duckdb.DuckDBPyConnection) -> None:
    """What was understood of the cells of the rule's findings; a partial date as far as it is known."""
    cells = f'SELECT DISTINCT "table", "column" FROM ({_CELLS}) ORDER BY ALL'
    for table, column in con.execute(cells).fetchall():
        precision = f"{column}_precision"
        asked = {"table": quoted(table), "column": quoted(precision)}
        partial = con.execute(filled(_HAS, asked)).fetchall()[0][0]
        parts = {"precision": name(precision), "column": name(column)}
        text = filled(_KNOWN_PART, parts) if partial else f"c.{name(column)}::VARCHAR"
        places = {"table": quoted(table), "column": quoted(column), "name": name(table)}
        con.execute(filled(_UNDERSTOOD, {"text": text, "cells": _CELLS, **places})).fetchall()


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


def _keep(con: duckdb.DuckDBPyConnection, study_folder: Path) -> None:
    """The findings into the vault, in the place of those of the build before."""
    folder = private_folder(StudyPaths(study_folder).study_findings)
    for file, statement in (
        ("finding", "SELECT * EXCLUDE delivery_key FROM study_told ORDER BY ALL"),
        ("finding_field", _TOLD_FIELDS),
    ):
        temporary = folder / f".{file}.tmp"
        con.execute(f"COPY ({statement}) TO {quoted(str(temporary))} (FORMAT parquet)").fetchall()
        temporary.chmod(0o600)
        if file == "finding_field":
            _add_values(study_folder, temporary, folder / f"{file}.parquet")
        replace_durably(temporary, folder / f"{file}.parquet")


def _add_values(study_folder: Path, path: Path, before: Path) -> None:
    """The cells' texts as delivered, into the file at `path`; those that the build before knew are kept."""
    fields = pl.read_parquet(path, glob=False)
    if fields.is_empty():
        return
    known = pl.read_parquet(before, glob=False) if before.is_file() else None
    with_delivered_values(study_folder, fields, known).write_parquet(path)
