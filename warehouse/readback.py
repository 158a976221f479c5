"""Count and hash of every table of a warehouse, independent of the order of rows.

`publish` runs this file as a script, in a fresh process that imports nothing of ours, to make sure
that what was written can be read: `python readback.py FILE...` prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import duckdb

# What differs between two loads of the same content.
VOLATILE = frozenset({"load_id", "started_at", "versions", "as_of"})  # as_of: of a scorecard


def fingerprint(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Tables with rows, hash over all columns and hash without the volatile ones; and views."""
    columns: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for schema, table, column, kind in con.execute(
        "SELECT c.schema_name, c.table_name, c.column_name, c.data_type FROM duckdb_columns() c "
        "JOIN duckdb_tables() t USING (database_oid, schema_oid, table_oid) "
        "WHERE c.database_name = current_database() AND NOT c.internal AND NOT t.temporary "
        "ORDER BY c.schema_name, c.table_name, c.column_index"
    ).fetchall():
        columns.setdefault((schema, table), []).append((column, kind))
    tables = {}
    for (schema, table), named in columns.items():
        steady = [column for column, _ in named if column not in VOLATILE]
        hashes = [_hash([column for column, _ in named])]
        hashes += [_hash(steady)] if len(steady) < len(named) else []
        target = f"{_name(schema)}.{_name(table)}"
        row = con.execute(f"SELECT count(*), {', '.join(hashes)} FROM {target}").fetchall()[0]
        tables[f"{schema}.{table}"] = {
            "columns": [f"{column} {kind}" for column, kind in named],
            "rows": row[0],
            "hash": row[1],
            "content": row[-1],
        }
    views = con.execute(
        "SELECT schema_name || '.' || view_name, sql FROM duckdb_views() "
        "WHERE database_name = current_database() AND NOT internal ORDER BY 1"
    ).fetchall()
    return {"tables": tables, "views": dict(views)}


def load_id(con: duckdb.DuckDBPyConnection) -> int:
    """The load that the file holds."""
    return int(con.execute("SELECT load_id FROM meta.run").fetchall()[0][0])


def read(path: str) -> dict[str, Any]:
    """Fingerprint and load of a file, read-only."""
    con = duckdb.connect(path, read_only=True, config={"memory_limit": "1GB"})
    try:
        return {**fingerprint(con), "load_id": load_id(con)}
    finally:
        con.close()


def _hash(columns: list[str]) -> str:
    # A sum does not depend on the order of rows, and unlike XOR it sees a row that stands twice.
    listed = ", ".join(_name(column) for column in columns)
    return f"coalesce(sum(hash({listed})), 0)::VARCHAR"


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


if __name__ == "__main__":
    print(json.dumps({path: read(path) for path in sys.argv[1:]}))
