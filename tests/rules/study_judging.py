"""Cases of rules that are judged when the warehouse is built: the same SQL, over a small warehouse.

The rows of a case become `core` and its sources as the build makes them; responses are derived and
the rules judged by the functions that a build calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from schemas.spec.study import Study
from tests.rules.judging import CATALOG, batch, column_map, sources
from warehouse.analysis import derive
from warehouse.delivery_diff.changes import differences, with_asked
from warehouse.delivery_diff.fill import leave_facts
from warehouse.delivery_diff.findings import WATCHED
from warehouse.delivery_diff.pairs import Sides
from warehouse.sql_text import sql_file
from warehouse.study_rules import judge_study, study_findings

STUDY = Study(id="MYE", title="Cases", data_cut=dt.date(2024, 8, 31))
CENTER, DELIVERY = "DE01", "DE01-1"
_DDL = (
    "meta_source", "meta_column_map", "quality_delivery", "quality_rule", "quality_check_run",
    "quality_finding", "quality_finding_field", "meta_center_definition",
)  # fmt: skip


@dataclass(frozen=True)
class StudyOutcome:
    """What was found of one rule, in the columns that the checks of a delivery give."""

    findings: pl.DataFrame
    finding_fields: pl.DataFrame
    check_run: pl.DataFrame


_Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def judge_in_warehouse(
    rule: Mapping[str, Any], tables: _Tables, folder: Path, before: _Tables | None = None
) -> StudyOutcome:
    """One rule over a warehouse with one center, whose delivery holds the tables.

    Args:
        rule: its entry in the compiled catalog.
        tables: rows as for `judging.judge`; a subject row is made for patient 1 if none is.
        folder: of the study; its vault takes the findings.
        before: rows of the delivery before, for rules on what a delivery changes.
    """
    con = duckdb.connect(config={"threads": 1})
    for schema in ("core", "meta", "quality"):
        con.execute(f"create schema {schema}")
    for name in _DDL:
        con.execute(sql_file("ddl", name))
    _fill_core(con, {"subject": [{}], **tables}, folder)
    _fill_meta(con, rule, folder)
    con.execute(
        "create temp table shown_name (number integer, file varchar, sheet varchar, shown_file varchar, shown_sheet varchar)"
    )  # no name holds an id
    if "analysis." in sql_file("study", rule["id"]):  # the others read core alone
        derive(con, STUDY)
    if before is not None:
        _compare(con, {"subject": [{}], **before}, {"subject": [{}], **tables}, folder)
    judge_study(con, folder)
    findings, fields = study_findings(folder, CENTER, DELIVERY)
    check_run = pl.DataFrame(
        con.execute("select rule_id, outcome from quality.check_run").fetchall(),
        schema=["rule_id", "outcome"],
        orient="row",
    )
    con.close()
    return StudyOutcome(findings, fields, check_run)


def _compare(con: duckdb.DuckDBPyConnection, before: _Tables, after: _Tables, folder: Path) -> None:
    """The facts of a delivery against the one before it, of which nothing was asked."""
    staged = []
    for name, tables in (("before", before), ("after", after)):
        (folder / name / "core").mkdir(parents=True)
        column_map().write_parquet(folder / name / "column_map.parquet")
        for table, rows in tables.items():
            batch(table, rows).frame.write_parquet(folder / name / "core" / f"{table}.parquet")
        staged.append(folder / name)
    sides = [Sides(CENTER, (staged[0],), (staged[1],))]
    found = differences(sides, CATALOG, [(w.table, w.column) for w in WATCHED])
    diff = with_asked(found, sides, CATALOG, None)
    keys = pl.DataFrame({"center_id": [CENTER], "delivery_key": [1]})
    leave_facts(con, found, diff, keys, CATALOG, [], folder)


def _fill_core(
    con: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    folder: Path,
) -> None:
    for name, table in CATALOG.tables.items():
        frame = (
            batch(name, tables[name]).frame
            if tables.get(name)
            else pl.DataFrame(schema=table.frame_schema)
        )
        texts = [pl.col(c).cast(pl.String) for c, t in frame.schema.items() if t == pl.Enum]
        named = frame.with_columns(texts, usubjid="MYE-DE01-" + pl.col("patient_id"))
        con.execute(f"create table core.{name} as {_select(named.drop('patient_id'), folder)}")


def _fill_meta(con: duckdb.DuckDBPyConnection, rule: Mapping[str, Any], folder: Path) -> None:
    con.execute(
        "insert into meta.source by name select source_id, 1 as delivery_key, "
        f"'{CENTER}' as center_id, '{DELIVERY}' as delivery_id, name, file "
        f"from ({_select(sources(), folder)})"
    )
    con.execute(
        "insert into meta.column_map by name select 1 as delivery_key, * "
        f"from ({_select(column_map(), folder)})"
    )
    con.execute(
        "insert into quality.delivery by name select 1 as delivery_key, 1 as load_id, "
        f"'{CENTER}' as center_id, '{DELIVERY}' as delivery_id, date '2024-06-14' as received_on, "
        "1 as sequence, 'snapshot' as mode, 'loaded' as outcome, true as is_current, 's1' as spec_hash"
    )
    declared = pl.DataFrame([{**_head(rule), "rule_id": rule["id"]}])
    con.execute(f"insert into quality.rule by name {_select(declared, folder)}")
    con.execute(
        "create temp table id_map as select distinct center_id, usubjid, "
        "usubjid[10:] as patient_id from core.subject"
    )


def _select(frame: pl.DataFrame, folder: Path) -> str:
    """A frame as SQL; DuckDB reads it at once, so one file does for all."""
    path = folder / "rows.parquet"
    frame.write_parquet(path)
    return f"select * from read_parquet('{path}')"


def _head(rule: Mapping[str, Any]) -> dict[str, str]:
    keys = ("title", "sentence", "severity", "disposition", "scope", "kahn", "engine", "category")
    return {key: str(rule[key]) for key in keys}
