"""Types, constraints and comments of the `core` tables, from the catalog.

Codes are ENUMs of their codelist: the file refuses any other code, and a column of ten million codes
is written three times as fast as text. An ENUM compares as text; only `order by`, `min` and `max`
follow the order of the codelist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.catalog import Catalog, Column, Table
from warehouse.sql_text import name, quoted

PRECISIONS = ("year", "month", "day")
COMPARATORS = ("<", "<=", ">", ">=", "~")
MOST_UNITS = 500
_KIND_TYPES = {"text": "VARCHAR", "integer": "INTEGER", "number": "DOUBLE", "date": "DATE"}


@dataclass(frozen=True, slots=True)
class WarehouseColumn:
    """A column as it stands in the warehouse, with what the dictionary says of it.

    `codes` are the only values of a coded column; None for other columns. `kind` is the catalog's,
    or `identity`, `precision`, `comparator`, `reported_unit`.
    """

    name: str
    sql_type: str
    kind: str
    label: str
    unit: str | None = None
    codelist: str | None = None
    source: str | None = None
    not_null: bool = False
    codes: tuple[str, ...] | None = None


def identity_columns(centers: Sequence[str]) -> tuple[WarehouseColumn, ...]:
    """The columns that every core table starts with."""
    return (
        _identity("usubjid", "VARCHAR", "Pseudonym of the patient, unique in the study"),
        _coded("center_id", "identity", "Center", tuple(centers), not_null=True),
        _identity("row_id", "BIGINT", "Row, unique in the study and the same in every load"),
        _identity("source_id", "INTEGER", "File and sheet of the row, see meta.source"),
        _identity("source_row", "INTEGER", "Row of the file or sheet, counted from 1"),
        _identity("map_id", "INTEGER", "Mapping block of the row, see meta.column_map"),
    )


def own_columns(
    table: Table, catalog: Catalog, units: Mapping[str, Sequence[str]]
) -> tuple[WarehouseColumn, ...]:
    """The table's own columns with their companions.

    Args:
        table: Canonical table.
        catalog: For the codes of the codelists.
        units: The units that centers reported, by name of the `_unit` column.
    """
    out: list[WarehouseColumn] = []
    for column in table.columns:
        if column.private:
            continue
        out.append(_own(column, catalog))
        for companion in column.companions:
            if companion.endswith("_precision"):
                label = f"How exact: {column.label}"
                out.append(_coded(companion, "precision", label, PRECISIONS, "precision"))
            elif companion.endswith("_comparator"):
                label = f"Comparator of: {column.label}"
                out.append(_coded(companion, "comparator", label, COMPARATORS))
            else:
                label = f"Unit as reported: {column.label}"
                seen = tuple(units.get(companion, ()))
                codes = seen if 0 < len(seen) <= MOST_UNITS else None
                out.append(_coded(companion, "reported_unit", label, codes))
    return tuple(out)


def create_table(schema: str, table: str, columns: Sequence[WarehouseColumn]) -> str:
    """The CREATE TABLE statement; no key and no index (docs/warehouse.md says why)."""
    lines = ",\n".join(
        f"  {name(c.name)} {c.sql_type}{' NOT NULL' if c.not_null else ''}" for c in columns
    )
    return f"CREATE TABLE {name(schema)}.{name(table)} (\n{lines}\n)"


def comments(
    schema: str, table: str, description: str, columns: Sequence[WarehouseColumn]
) -> list[str]:
    """COMMENT ON for a table and its columns: label, unit and codelist."""
    target = f"{name(schema)}.{name(table)}"
    out = [f"COMMENT ON TABLE {target} IS {quoted(description)}"]
    out += [f"COMMENT ON COLUMN {target}.{name(c.name)} IS {quoted(comment(c))}" for c in columns]
    return out


def comment(column: WarehouseColumn) -> str:
    """Label with unit and codelist in one line."""
    unit = f" [{column.unit}]" if column.unit else ""
    codelist = f" (codelist {column.codelist})" if column.codelist else ""
    return f"{column.label}{unit}{codelist}"


def enum(codes: Sequence[str]) -> str:
    """The SQL type of a column that holds only these codes."""
    return f"ENUM ({', '.join(quoted(code) for code in codes)})"


def _own(column: Column, catalog: Catalog) -> WarehouseColumn:
    codes = tuple(catalog.codelists.get(column.codelist or "", ()))
    return WarehouseColumn(
        name=column.name,
        sql_type=enum(codes) if codes else _KIND_TYPES.get(column.kind, "VARCHAR"),
        kind=column.kind,
        label=column.label,
        unit=column.unit,
        codelist=column.codelist,
        source=column.source,
        codes=codes or None,
    )


def _identity(column: str, sql_type: str, label: str) -> WarehouseColumn:
    return WarehouseColumn(column, sql_type, "identity", label, not_null=True)


def _coded(
    column: str,
    kind: str,
    label: str,
    codes: tuple[str, ...] | None,
    codelist: str | None = None,
    *,
    not_null: bool = False,
) -> WarehouseColumn:
    return WarehouseColumn(
        column,
        enum(codes) if codes else "VARCHAR",
        kind,
        label,
        codelist=codelist,
        not_null=not_null,
        codes=codes,
    )
