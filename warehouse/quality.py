"""Fills `quality`: deliveries, ledger, rules and findings of all loads, without values as read.

Findings come from every delivery ever loaded, so that a center's quality can be followed over time.
Local ids become pseudonyms; of the values only those understood as code, number or date are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from schemas.catalog import Catalog
from warehouse.core import replaced_rows
from warehouse.ddl import COMPARATORS, PRECISIONS
from warehouse.loads import NO_ID, PUBLISHED, LoadLog
from warehouse.shown_names import join_shown, shown_columns
from warehouse.sql_text import listed, name, quoted
from warehouse.staged_files import LinkedDelivery, existing, parquet

if TYPE_CHECKING:
    import duckdb

_CODE = re.compile(r"\[([A-Z_]{3,40})\]")
_CENTER = re.compile(r"[A-Z][A-Z0-9_]{1,15}")  # as `id` of a spec; any other folder may name people
_REPLACED = "replaced by a later delivery"
_RULE_KEYS = (
    "id", "category", "title", "sentence", "severity", "disposition", "scope", "kahn", "engine",
    "source",
)  # fmt: skip


def fill_loads(
    con: duckdb.DuckDBPyConnection,
    log: LoadLog,
    load_id: int,
    deliveries: Sequence[LinkedDelivery],
    scratch: Path,
) -> None:
    """quality.load and quality.delivery from the load log; this load counts as published."""
    linked = {(d.staged.load_id, d.staged.center_id, d.staged.delivery_id): d for d in deliveries}
    loads: list[tuple[Any, ...]] = []
    lines: list[tuple[Any, ...]] = []
    for load in log.loads:
        here = load.load_id == load_id
        counts = {
            outcome: sum(d.outcome == outcome for d in load.deliveries)
            for outcome in ("loaded", "failed", "held")
        }
        loads.append(
            (
                load.load_id,
                load.started_at.replace(tzinfo=None),
                PUBLISHED if here else load.outcome,
                *counts.values(),
                load.study_hash,
            )
        )
        for d in load.deliveries:
            known = linked.pop((load.load_id, d.center_id, d.delivery_id), None)
            if d.outcome == "loaded" and known is None:
                continue  # of a load that was not published, or staged anew by a later one
            codes = _CODE.findall(d.message.split("\n  Fix: ")[0])  # the code ends the problem
            lines.append(
                (
                    known.number if known else len(deliveries) + len(lines) + 1,
                    load.load_id,
                    d.center_id if _CENTER.fullmatch(d.center_id) else NO_ID,
                    d.delivery_id,
                    d.received_on,
                    d.sequence,
                    d.mode,
                    d.outcome,
                    codes[-1] if codes else None,
                    bool(known and known.staged.current),
                    d.spec_hash,
                )
            )
    _insert(con, "quality.load", loads, scratch)
    _insert(con, "quality.delivery", lines, scratch)


def fill_findings(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, deliveries: Sequence[LinkedDelivery]
) -> None:
    """quality.finding and quality.finding_field; temporary tables as in `keys.py`."""
    files = existing(deliveries, "finding.parquet")
    if files:
        con.execute(
            "INSERT INTO quality.finding "
            "SELECT s.number, s.load_id, s.center_id, s.delivery_id, f.finding_id, f.rule_id, "
            'f.severity, f.disposition, f.scope, f."table", m.usubjid, f.row_id '
            f"FROM {parquet(files, filename=True)} f "
            "JOIN delivery_shift s ON f.filename = s.link || '/finding.parquet' "
            "LEFT JOIN id_map m ON m.center_id = s.center_id AND m.patient_id = f.patient_id"
        ).fetchall()
    files = existing(deliveries, "finding_field.parquet")
    if files:
        con.execute(
            "INSERT INTO quality.finding_field "
            'SELECT s.number, f.finding_id, f.position, f."table", f."column", '
            f'{shown_columns("f")}, f."row", f.source_column, {_understood(catalog)} '
            f"FROM {parquet(files, filename=True)} f "
            "JOIN delivery_shift s ON f.filename = s.link || '/finding_field.parquet' "
            + join_shown("f", "s.number")
        ).fetchall()


def fill_ledger(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, deliveries: Sequence[LinkedDelivery]
) -> None:
    """quality.ledger: the steps of every delivery as staged, and the step load as counted here."""
    files = existing(deliveries, "ledger.parquet")
    if files:
        con.execute(
            "INSERT INTO quality.ledger "
            'SELECT s.number, f.step, f.source_id + s.source_shift, f."table", f.outcome, '
            f"f.reason, f.n_rows FROM {parquet(files, filename=True)} f "
            "JOIN delivery_shift s ON f.filename = s.link || '/ledger.parquet'"
        ).fetchall()
    con.execute(
        "INSERT INTO quality.ledger "
        "SELECT l.delivery_key, 'load', l.source_id, l.\"table\", v.outcome, v.reason, "
        "sum(l.n_rows) FROM quality.ledger l JOIN delivery_shift s ON s.number = l.delivery_key, "
        f"(VALUES ('in', NULL), ('excluded', {quoted(_REPLACED)})) v(outcome, reason) "
        "WHERE l.step = 'check' AND l.outcome = 'out' AND NOT s.current GROUP BY ALL"
    ).fetchall()
    current = [d for d in deliveries if d.staged.current]
    for table in catalog.tables.values():
        file = f"core/{table.name}.parquet"
        files = existing(current, file)
        if not files:
            continue
        con.execute(
            "INSERT INTO quality.ledger "
            f"SELECT s.number, 'load', f.source_id + s.source_shift, {quoted(table.name)}, 'in', "
            f"NULL, f.n FROM (SELECT filename, source_id, count(*) AS n "
            f"FROM {parquet(files, filename=True)} GROUP BY ALL) f "
            f"JOIN delivery_shift s ON f.filename = s.link || {quoted('/' + file)}"
        ).fetchall()
        con.execute(
            "INSERT INTO quality.ledger "
            f"SELECT d.delivery_key, 'load', c.source_id, {quoted(table.name)}, 'out', NULL, c.n "
            f"FROM (SELECT source_id, count(*) AS n FROM core.{name(table.name)} GROUP BY ALL) c "
            "JOIN meta.source d USING (source_id)"
        ).fetchall()
        for number, rows in replaced_rows(table, current):
            con.execute(
                "INSERT INTO quality.ledger "
                f"SELECT {number}, 'load', f.source_id + s.source_shift, {quoted(table.name)}, "
                f"'excluded', {quoted(_REPLACED)}, count(*) FROM {rows} f "
                f"JOIN delivery_shift s ON s.number = {number} GROUP BY ALL"
            ).fetchall()


def fill_check_runs(con: duckdb.DuckDBPyConnection, deliveries: Sequence[LinkedDelivery]) -> None:
    """quality.check_run of every delivery."""
    files = existing(deliveries, "check_run.parquet")
    if files:
        con.execute(
            "INSERT INTO quality.check_run "
            'SELECT s.number, s.load_id, f.rule_id, f.severity, f."table", f.outcome, '
            f"f.numerator, f.denominator, f.reason FROM {parquet(files, filename=True)} f "
            "JOIN delivery_shift s ON f.filename = s.link || '/check_run.parquet'"
        ).fetchall()


def fill_rules(
    con: duckdb.DuckDBPyConnection, rules: Sequence[Mapping[str, Any]], scratch: Path
) -> None:
    """quality.rule, one row per rule."""
    rows = [tuple(_text(rule.get(key)) for key in _RULE_KEYS) for rule in rules]
    _insert(con, "quality.rule", rows, scratch)


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _understood(catalog: Catalog) -> str:
    """SQL: the value as understood if it is a code, number or date of its column, else null."""
    numbers, dates, cases = [], [], []
    for table in catalog.tables.values():
        for column in table.columns:
            key = f"{table.name}.{column.name}"
            if column.kind in ("integer", "number"):
                numbers.append(key)
            elif column.kind == "date":
                dates.append(key)
            elif column.codelist and column.codelist in catalog.codelists:
                codes = catalog.codelists[column.codelist]
                cases.append(
                    f"WHEN {quoted(key)} THEN list_contains({listed(codes)}, f.understood)"
                )
    field = """f."table" || '.' || f."column\""""
    closed = listed([*COMPARATORS, *PRECISIONS])
    fits = (
        f"CASE WHEN list_contains({listed(numbers)}, {field}) "
        "THEN TRY_CAST(f.understood AS DOUBLE) IS NOT NULL "
        f"WHEN list_contains({listed(dates)}, {field}) "
        r"THEN regexp_full_match(f.understood, '\d{4}(-\d{2}){0,2}') "
        f"""WHEN f."column" LIKE '%\\_precision' ESCAPE '\\' OR f."column" LIKE '%\\_comparator' """
        f"ESCAPE '\\' THEN list_contains({closed}, f.understood) "
        f"ELSE CASE {field} {' '.join(cases)} ELSE false END END"
    )
    return f"CASE WHEN {fits} THEN f.understood END"


def _insert(
    con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]], scratch: Path
) -> None:
    """Rows of our own making go in as Parquet (see `sql_text`)."""
    if not rows:
        return
    file = scratch / f"{table}.parquet"
    width = range(len(rows[0]))
    pl.DataFrame({f"c{i}": [row[i] for row in rows] for i in width}, strict=True).write_parquet(
        file
    )
    columns = ", ".join(f"c{i}" for i in width)
    con.execute(f"INSERT INTO {table} SELECT {columns} FROM {parquet([file])}").fetchall()
    file.unlink()
