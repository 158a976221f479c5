"""How far each center's variables are the canonical ones, and what the analysis makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from schemas.catalog import Catalog
from schemas.definition_columns import definition_columns
from warehouse.sql_text import name, quoted
from warehouse.staged_files import LinkedDelivery, parquet

if TYPE_CHECKING:
    import duckdb

    from schemas.spec.study import Study

VARIABLE = {
    "table": pl.String(),
    "column": pl.String(),
    "position": pl.Int32(),
    "label": pl.String(),
}
DECLARED = {
    "center_id": pl.String(),
    "variable": pl.String(),
    "status": pl.String(),
    "note": pl.String(),
}


def fill_definitions(
    con: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    deliveries: Sequence[LinkedDelivery],
    scratch: Path,
) -> None:
    """meta.center_definition: declared in the spec, else by whether a column gives the variable.

    Args:
        con: The staged warehouse with `meta.column_map` filled.
        catalog: The canonical variables.
        deliveries: Of all loads; those in force count, the newest one where a center has several.
        scratch: A folder for files that pass the rows to DuckDB.
    """
    current = [d for d in deliveries if d.staged.current]
    current.sort(key=lambda d: (d.staged.received_on, d.staged.sequence))
    variables = [
        (table.name, column.name, position, column.label)
        for table in catalog.tables.values()
        for position, column in enumerate(table.columns, start=1)
    ]
    declared = [
        (center, variable, entry["status"], entry["note"] or None)
        for center, definitions in _declared(current).items()
        for variable, entry in definitions.items()
    ]
    pl.DataFrame(variables, schema=VARIABLE, orient="row").write_parquet(scratch / "variable.pq")
    pl.DataFrame(declared, schema=DECLARED, orient="row").write_parquet(scratch / "declared.pq")
    keys = ", ".join(f"({d.number}, {quoted(d.staged.center_id)})" for d in current)
    con.execute(
        f"""
        INSERT INTO meta.center_definition
        WITH delivery(delivery_key, center_id) AS (VALUES {keys}),
        mapped AS (
            SELECT DISTINCT delivery.center_id, m."table", m."column"
            FROM meta.column_map AS m JOIN delivery USING (delivery_key)
        )
        SELECT c.center_id, v."table", v."column", v.position, v.label,
            coalesce(d.status, CASE WHEN m.center_id IS NULL THEN 'impossible' ELSE 'complete' END),
            CASE WHEN d.status IS NOT NULL THEN 'DECLARED'
                WHEN m.center_id IS NULL THEN 'NOT_MAPPED' ELSE 'MAPPED' END,
            d.note
        FROM (SELECT DISTINCT center_id FROM delivery) AS c
        CROSS JOIN {parquet([scratch / "variable.pq"])} AS v
        LEFT JOIN {parquet([scratch / "declared.pq"])} AS d
            ON d.center_id = c.center_id AND d.variable = v."table" || '.' || v."column"
        LEFT JOIN mapped AS m
            ON m.center_id = c.center_id AND m."table" = v."table" AND m."column" = v."column"
        ORDER BY ALL
        """
    ).fetchall()


def _declared(current: Sequence[LinkedDelivery]) -> dict[str, Mapping[str, Mapping[str, str]]]:
    """Center → variable → status and note; a later delivery replaces what an earlier one said."""
    found: dict[str, Mapping[str, Mapping[str, str]]] = {}
    for delivery in current:
        summary = json.loads(delivery.file("summary.json").read_text(encoding="utf-8"))
        found[delivery.staged.center_id] = summary.get("definitions", {})
    return found


def read_definitions(con: duckdb.DuckDBPyConnection, study: Study) -> None:
    """temp.declared_definition (empty in a file without `meta`) and temp.definition_rule."""
    known = con.execute(
        "select count(*) from duckdb_tables() "
        "where schema_name = 'meta' and table_name = 'center_definition'"
    ).fetchall()
    columns = (
        'center_id, "table" || \'.\' || "column" as variable, "table", "column", position, '
        "label, status, basis, note from meta.center_definition"
        if known[0][0]
        else "''::varchar as center_id, ''::varchar as variable, ''::varchar as \"table\", "
        "''::varchar as \"column\", 0 as position, ''::varchar as label, ''::varchar as status, "
        "''::varchar as basis, ''::varchar as note limit 0"
    )
    con.execute(f"create or replace temp table declared_definition as select {columns}").fetchall()
    rules = [
        f"({quoted(variable)}, {quoted(status)}, {quoted(use)})"
        for status, variables in _rules(study).items()
        for variable, use in variables.items()
    ]
    listed = f"(values {', '.join(rules)})" if rules else "(select '', '', '' limit 0)"
    con.execute(
        "create or replace temp table definition_rule as "
        f"select * from {listed} as listed(variable, status, use)"
    ).fetchall()


def set_missing(con: duckdb.DuckDBPyConnection, study: Study, adsl: str = "analysis.adsl") -> None:
    """Empties the columns of adsl that rest on a variable the center defines otherwise.

    Only variables that `study.yaml` names with `missing`, and of a row only what really rests on them.
    """
    parts: dict[str, list[str]] = {}
    for status, variables in _rules(study).items():
        for variable, use in variables.items():
            if use != "missing":
                continue
            centers = (
                "SITEID in (select center_id from declared_definition "
                f"where variable = {quoted(variable)} and status = {quoted(status)})"
            )
            for target in definition_columns()[variable]:
                condition = f"{centers} and {target.condition}" if target.condition else centers
                parts.setdefault(target.column, []).append(f"({condition})")
    if parts:
        changes = ", ".join(
            f"{name(column)} = case when {' or '.join(conditions)} then null else {name(column)} end"
            for column, conditions in parts.items()
        )
        con.execute(f"update {adsl} set {changes}").fetchall()


def _rules(study: Study) -> dict[str, Mapping[str, str]]:
    settings = study.settings
    return {
        "impossible": settings.impossible_definitions,
        "partial": settings.partial_definitions,
    }
