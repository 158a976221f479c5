"""What must hold before a file may be published: queries that give the bad cases.

They take the place of keys and foreign keys, which would make a load ten times as slow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.catalog import Catalog, Table
from schemas.errors import AuditStoppedError
from warehouse.sql_text import filled, name, sql_file, sql_names

if TYPE_CHECKING:
    import duckdb

# A center may assess the same line twice on a day.
NOT_UNIQUE = frozenset({"response"})


def check_integrity(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Runs every query of `sql/integrity`.

    Raises:
        AuditStoppedError: Some gave rows; the message names check, table and count, no values.
    """
    found = []
    for check in sql_names("integrity"):
        statement = sql_file("integrity", check)
        if "${table}" not in statement:
            bad = _count(con, statement)
            found += [f"{check}: {bad} case(s)"] if bad else []
            continue
        for table in catalog.tables.values():
            if "${key}" in statement and (table.name in NOT_UNIQUE or not table.key):
                continue
            bad = _count(con, filled(statement, _places(table)))
            found += [f"{check} in table '{table.name}': {bad} case(s)"] if bad else []
    if found:
        raise AuditStoppedError(
            "The new warehouse is not consistent and is not published: " + "; ".join(found),
            fix="what was published before stays; docs/warehouse.md says what each check means",
        )


def _places(table: Table) -> dict[str, str]:
    key = [column for column in table.key if column != "patient_id"]
    columns = [name(column) for column in key]
    return {
        "table": name(table.name),
        "key": ", ".join(columns) or "1",
        "key_is_full": " AND ".join(f"{column} IS NOT NULL" for column in columns) or "true",
    }


def _count(con: duckdb.DuckDBPyConnection, statement: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM ({statement})").fetchall()[0][0])
