"""Rules that need the whole warehouse: judged in SQL when it is built, after the derivation.

`sql/study/<rule>.sql` gives one row per fact that it judges or finds: `usubjid, table, row_id, fails,
fields, message`; `fields` are the cells concerned (`table, row_id, column`). What fails becomes a finding
of the delivery that holds the row, with cells of that center only: what it agrees with may stand in
another one, which the finding does not name. The findings also go to the vault with the local ids of
their own center, for its packet; only there is the message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from schemas.staging import FINDING, FINDING_FIELD
from warehouse import study_rule_steps as steps
from warehouse.delivered_cells import with_delivered_values
from warehouse.paths import StudyPaths, private_folder, replace_durably
from warehouse.sql_text import filled, name, quoted, sql_file, sql_names

if TYPE_CHECKING:
    import duckdb

_FILES = {"finding": FINDING, "finding_field": FINDING_FIELD}
_DELIVERY = {"center_id": pl.String(), "delivery_id": pl.String()}
_ON_CHANGES = "DLV-"
_LATER = "d.delivery_key IN (SELECT delivery_key FROM delivery_compared)"
_BETWEEN_CENTERS = frozenset({"DUP-02"})
# Rules on responses: what they judge are facts that measurements decide, not patients.
_ON_MEASUREMENTS = frozenset({"RSP-08", "RSP-09"})
# Rules on what a delivery changes: `delivery_diff` compares, and leaves the facts in these tables.
_COMPARED_TABLES = (
    "unasked_change (rule_id VARCHAR, usubjid VARCHAR, "
    '"table" VARCHAR, row_id BIGINT, "column" VARCHAR, understood VARCHAR, message VARCHAR)',
    "delivery_compared (delivery_key INTEGER, rule_id VARCHAR, n BIGINT)",
    'held_home ("table" VARCHAR, row_id BIGINT, source_id INTEGER, source_row INTEGER, map_id INTEGER)',
)
_DERIVED = re.compile(r"\banalysis\.(\w+)")


def judge_study(con: duckdb.DuckDBPyConnection, study_folder: Path) -> None:
    """Adds findings and outcomes of the rules on the whole study, for the deliveries in force.

    Needs temporary tables `id_map` and `shown_name`, `core`, `meta.source`, `meta.column_map` and `quality` filled. A rule that `quality.rule`
    does not hold is not judged, and one that reads a table of `analysis` that was not derived is `not_run`;
    deliveries that are not in force keep the outcome `not_run`.
    """
    con.execute(steps.TOLD_TABLE).fetchall()
    for table in _COMPARED_TABLES:
        con.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table}").fetchall()
    con.execute(steps.UNDERSTOOD_TABLE).fetchall()
    known = dict(con.execute("SELECT rule_id, engine FROM quality.rule").fetchall())
    tables = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'analysis' AND NOT temporary"
    )
    derived = {row[0] for row in tables.fetchall()}
    statements = {rule: sql_file("study", rule) for rule in sql_names("study") if rule in known}
    judged = {r: s for r, s in statements.items() if set(_DERIVED.findall(s)) <= derived}
    replaced = ", ".join(quoted(rule) for rule in judged if known[rule] != "rows")
    if replaced:
        con.execute(filled(steps.NOT_YET, {"rules": replaced})).fetchall()
    for rule, statement in judged.items():
        _judge(con, rule, statement, further=known[rule] == "rows")
    _keep(con, study_folder)
    for table in ("study_finding", "study_told", "study_understood", "study_judged", "study_home"):
        con.execute(f"DROP TABLE IF EXISTS temp.{table}").fetchall()
    for table in _COMPARED_TABLES:
        con.execute(f"DROP TABLE temp.{table.split(' ')[0]}").fetchall()


def _judge(con: duckdb.DuckDBPyConnection, rule: str, statement: str, *, further: bool) -> None:
    con.execute(filled(steps.JUDGED, {"statement": statement})).fetchall()
    n_judged, n_failing = con.execute(steps.COUNTED).fetchall()[0]
    on_changes = rule.startswith(_ON_CHANGES)
    on_measurements = further or rule in _ON_MEASUREMENTS
    values = {
        "rule": quoted(rule),
        "judged": _judged_of(rule, on_measurements=on_measurements),
        "found": steps.FOUND_BY_DELIVERY,
        "can_run": steps.MAPPED if on_measurements else "true",
        "why_not": quoted("no measurements of the disease are delivered"),
        "applies": steps.SEVERAL if rule in _BETWEEN_CENTERS else _LATER if on_changes else "true",
        "why_not_applicable": quoted(
            "there is no delivery before it" if on_changes else "there is one center only"
        ),
    }
    outcome = steps.FURTHER_OUTCOME if further else steps.OUTCOME
    if n_judged and (n_failing or on_measurements):
        _find_home(con, on_changes=on_changes)
    elif on_measurements:
        values["judged"] = steps.NONE
    if not n_failing:  # most rules on most loads: half of the statements would add nothing
        con.execute(filled(outcome, {**values, "found": steps.NONE})).fetchall()
        return
    con.execute(steps.FOUND).fetchall()
    for step in (steps.FINDING, steps.FIELD, outcome, steps.TOLD):
        con.execute(filled(step, values)).fetchall()
    if on_changes:
        con.execute(filled(steps.CHANGE_UNDERSTOOD, values)).fetchall()
    else:
        _understand(con)


def _find_home(con: duckdb.DuckDBPyConnection, *, on_changes: bool) -> None:
    """study_home: the delivery and address of each row that is judged or named."""
    rows = [
        f'SELECT {quoted(table)} AS "table", row_id, source_id, source_row, map_id FROM core.{name(table)}'
        for (table,) in con.execute(steps.TABLES).fetchall()
    ]
    if on_changes:
        rows.append("FROM held_home")
    con.execute(filled(steps.HOME, {"rows": " UNION ALL ".join(rows)})).fetchall()


def _judged_of(rule: str, *, on_measurements: bool) -> str:
    """SQL: delivery_key, n facts that were judged."""
    if rule.startswith(_ON_CHANGES):
        return filled(steps.COMPARED, {"rule": quoted(rule)})
    return steps.FACTS if on_measurements else steps.PATIENTS


def _understand(con: duckdb.DuckDBPyConnection) -> None:
    """What was understood of the cells of the rule's findings; a partial date as far as it is known."""
    cells = f'SELECT DISTINCT "table", "column" FROM ({steps.CELLS}) ORDER BY ALL'
    for table, column in con.execute(cells).fetchall():
        precision = f"{column}_precision"
        asked = {"table": quoted(table), "column": quoted(precision)}
        partial = con.execute(filled(steps.HAS, asked)).fetchall()[0][0]
        parts = {"precision": name(precision), "column": name(column)}
        text = filled(steps.KNOWN_PART, parts) if partial else f"c.{name(column)}::VARCHAR"
        places = {"table": quoted(table), "column": quoted(column), "name": name(table)}
        con.execute(
            filled(steps.UNDERSTOOD, {"text": text, "cells": steps.CELLS, **places})
        ).fetchall()


@dataclass(frozen=True, slots=True)
class StudyFindings:
    """Findings and their fields that the last build made of all deliveries, each with its delivery."""

    finding: pl.DataFrame
    finding_field: pl.DataFrame

    @classmethod
    def read(cls, study_folder: Path) -> StudyFindings:
        """As they stand in the vault; empty before the first build."""
        place = StudyPaths(study_folder).study_findings
        frames = []
        for file, schema in _FILES.items():
            path = place / f"{file}.parquet"
            if path.is_file():
                frames.append(pl.read_parquet(path, glob=False))
            else:
                frames.append(pl.DataFrame(schema={**_DELIVERY, **schema}))
        return cls(*frames)

    def of(self, center_id: str, delivery_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Findings (FINDING) and their fields (FINDING_FIELD) of a delivery."""
        mine = (pl.col("center_id") == center_id) & (pl.col("delivery_id") == delivery_id)
        found = [
            frame.filter(mine).select(schema.names()).cast(schema)
            for frame, schema in zip(
                (self.finding, self.finding_field), _FILES.values(), strict=True
            )
        ]
        return found[0], found[1]


def study_findings(
    study_folder: Path, center_id: str, delivery_id: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Findings (FINDING) and their fields (FINDING_FIELD) of a delivery that the last build made."""
    return StudyFindings.read(study_folder).of(center_id, delivery_id)


def _keep(con: duckdb.DuckDBPyConnection, study_folder: Path) -> None:
    """The findings into the vault, in the place of those of the build before."""
    folder = private_folder(StudyPaths(study_folder).study_findings)
    for file, statement in (
        ("finding", "SELECT * EXCLUDE delivery_key FROM study_told ORDER BY ALL"),
        ("finding_field", steps.TOLD_FIELDS),
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
