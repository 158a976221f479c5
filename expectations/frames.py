"""The small frames that are audited: counts and shares that DuckDB computes, never rows of patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expectations.suite import Check
from schemas.catalog import Catalog, Table

if TYPE_CHECKING:
    import duckdb

IDENTITY = {"patient_id": "usubjid"}  # what the load puts in the place of the local id
NOT_UNIQUE = frozenset({"response"})  # a center may assess the same line twice on a day


def compute(con: duckdb.DuckDBPyConnection, check: Check, catalog: Catalog) -> dict[str, list[Any]]:
    """Column name → values of a check's frame.

    Args:
        con: the staged warehouse, open for reading.
        check: the check.
        catalog: the canonical tables, for checks that run once per table or column.
    """
    # One statement for all tables or columns: each further one would be planned anew.
    parts = _statements(check, catalog)
    sql = parts[0] if len(parts) == 1 else " union all ".join(f"(\n{part}\n)" for part in parts)
    cursor = con.execute(sql)
    names = [column[0] for column in cursor.description or []]
    rows = cursor.fetchall()
    columns = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in names]
    return dict(zip(names, columns, strict=True))


def _statements(check: Check, catalog: Catalog) -> list[str]:
    sql = _fill(check.sql, {name: repr(limit) for name, limit in check.limits.items()})
    if check.for_each is None:
        return [sql]
    fillings = {"table": _tables, "key": _keys, "coded_column": _coded}[check.for_each](catalog)
    return [_fill(sql, filling) for filling in fillings]


def _fill(sql: str, filling: dict[str, str]) -> str:
    """Names come from our own declarations, never from data; braces elsewhere stay."""
    for name, text in filling.items():
        sql = sql.replace("{" + name + "}", text)
    return sql


def _tables(catalog: Catalog) -> list[dict[str, str]]:
    return [{"table": name} for name in catalog.tables]


def _keys(catalog: Catalog) -> list[dict[str, str]]:
    return [
        {"table": table.name, "key": ", ".join(_key(table))}
        for table in catalog.tables.values()
        if table.key and table.name not in NOT_UNIQUE
    ]


def _key(table: Table) -> list[str]:
    return [f'"{IDENTITY.get(name, name)}"' for name in table.key]


def _coded(catalog: Catalog) -> list[dict[str, str]]:
    return [
        {"table": table.name, "column": column.name, "codelist": column.codelist}
        for table in catalog.tables.values()
        for column in table.columns
        if column.codelist
    ]
