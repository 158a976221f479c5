"""Fills `meta`: sources, column maps, codelists, the run, and the dictionary of every column."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from schemas.catalog import Catalog
from warehouse.ddl import WarehouseColumn
from warehouse.loads import Load
from warehouse.shown_names import join_shown, shown_columns
from warehouse.sql_text import SQL_FOLDER, name, quoted
from warehouse.staged_files import LinkedDelivery, existing, parquet

if TYPE_CHECKING:
    import duckdb

    from schemas.spec.study import Study


def fill_sources(con: duckdb.DuckDBPyConnection, deliveries: Sequence[LinkedDelivery]) -> None:
    """meta.source and meta.column_map of all deliveries, meta.address of the current ones.

    Needs temporary table `shown_name`: no name of a file or sheet holds an id.
    """
    files = existing(deliveries, "source.parquet")
    if files:
        con.execute(
            "INSERT INTO meta.source "
            "SELECT f.source_id + s.source_shift, s.number, s.center_id, s.delivery_id, f.name, "
            f"{shown_columns('f')}, f.sha256, f.kind, f.encoding, f.delimiter, "
            f'f."decimal", f.n_rows FROM {parquet(files, filename=True)} f '
            "JOIN delivery_shift s ON f.filename = s.link || '/source.parquet' "
            + join_shown("f", "s.number")
        ).fetchall()
    files = existing(deliveries, "column_map.parquet")
    if files:
        con.execute(
            "INSERT INTO meta.column_map "
            'SELECT f.map_id + s.map_shift, s.number, f."table", f."column", f.slot, '
            "f.source_id + s.source_shift, f.source_column, f.rule "
            f"FROM {parquet(files, filename=True)} f "
            "JOIN delivery_shift s ON f.filename = s.link || '/column_map.parquet'"
        ).fetchall()
    files = existing([d for d in deliveries if d.staged.current], "address.parquet")
    if files:
        con.execute(
            "INSERT INTO meta.address "
            "SELECT f.row_id, f.slot, f.source_id + s.source_shift, f.source_row "
            f"FROM {parquet(files, filename=True)} f "
            "JOIN delivery_shift s ON f.filename = s.link || '/address.parquet'"
        ).fetchall()


def fill_codelists(con: duckdb.DuckDBPyConnection, catalog: Catalog, scratch: Path) -> None:
    """meta.codelist."""
    rows = [
        (codelist, code, label, position)
        for codelist, codes in catalog.codelists.items()
        for position, (code, label) in enumerate(codes.items(), start=1)
    ]
    file = scratch / "codelist.parquet"
    columns = ["codelist", "code", "label", "position"]
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet(file)
    con.execute(f"INSERT INTO meta.codelist SELECT * FROM {parquet([file])}").fetchall()


def fill_run(con: duckdb.DuckDBPyConnection, study: Study, load: Load) -> None:
    """meta.run: which load of which study this file is."""
    started = load.started_at.replace(tzinfo=None).isoformat(sep=" ")
    versions = json.dumps(dict(load.versions), sort_keys=True)
    con.execute(
        f"INSERT INTO meta.run SELECT {quoted(study.id)}, {quoted(study.title)}, "
        f"DATE {quoted(study.data_cut.isoformat())}, {quoted(load.study_hash)}, "
        f"{load.load_id}, TIMESTAMP {quoted(started)}, {quoted(versions)}"
    ).fetchall()


def create_row_address(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """meta.row_address: where every row of every core table stands, for meta.lineage."""
    parts = [
        f'SELECT row_id, map_id, {quoted(table)} AS "table", source_id, source_row '
        f"FROM core.{name(table)}"
        for table in catalog.tables
    ]
    con.execute("CREATE VIEW meta.row_address AS " + " UNION ALL ".join(parts)).fetchall()


@cache
def labels() -> Mapping[tuple[str, str, str], Mapping[str, str]]:
    """Label, unit, codelist and source of the columns that no catalog declares (`labels.csv`)."""
    with (SQL_FOLDER / "labels.csv").open(encoding="utf-8", newline="") as file:
        return {(r["schema"], r["table"], r["column"]): r for r in csv.DictReader(file)}


@cache
def analysis_labels() -> Mapping[tuple[str, str, str], Mapping[str, str]]:
    """Unit, codelist and source of the analysis tables, whose labels are comments already."""
    with (SQL_FOLDER / "analysis" / "labels.csv").open(encoding="utf-8", newline="") as file:
        return {("analysis", r["table"], r["column"]): r for r in csv.DictReader(file)}


def comment_labels(con: duckdb.DuckDBPyConnection) -> None:
    """COMMENT ON for the columns of `labels.csv`, which then reach the dictionary."""
    statements = []
    for (schema, table, column), row in labels().items():
        target = f"{name(schema)}.{name(table)}" + (f".{name(column)}" if column else "")
        kind = "COLUMN" if column else row["kind"]
        statements.append(f"COMMENT ON {kind} {target} IS {quoted(row['label'])}")
    con.execute(";".join(statements)).fetchall()


def fill_dictionary(
    con: duckdb.DuckDBPyConnection,
    core: Mapping[str, Sequence[WarehouseColumn]],
    scratch: Path,
) -> None:
    """meta.dictionary: every column of every table and view of the file.

    Label of the analysis tables is their comment.
    """
    found = con.execute(
        "SELECT schema_name, table_name, column_name, column_index, comment, data_type "
        "FROM duckdb_columns() WHERE database_name = current_database() AND NOT internal "
        "ORDER BY ALL"
    ).fetchall()
    declared = {("core", t, c.name): c for t, columns in core.items() for c in columns}
    told = {**analysis_labels(), **labels()}
    rows = []
    for schema, table, column, position, comment, sql_type in found:
        known = declared.get((schema, table, column))
        row = told.get((schema, table, column), {})
        rows.append(
            (
                schema,
                table,
                column,
                position,
                known.label if known else comment,
                "CODE" if sql_type.startswith("ENUM") else sql_type,
                known.unit if known else row.get("unit") or None,
                known.codelist if known else row.get("codelist") or None,
                known.source if known else row.get("source") or None,
            )
        )
    file = scratch / "dictionary.parquet"
    names = ("schema", "table", "column", "position", "label", "type", "unit", "codelist", "source")
    types = {n: pl.Int32() if n == "position" else pl.String() for n in names}
    pl.DataFrame(rows, schema=types, orient="row").write_parquet(file)
    con.execute(f"INSERT INTO meta.dictionary SELECT * FROM {parquet([file])}").fetchall()
