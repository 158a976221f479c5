"""SQL as text: files with one statement each, and values quoted into them.

Bound parameters are not used here on purpose: with DuckDB's Python client the first bound value
imports pandas (1.3 CPU seconds). What goes in by `quoted` is our own: paths that we made, ids of
columns, names of the declarations. Values of patients go in as Parquet files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SQL_FOLDER = Path(__file__).parent / "sql"


def quoted(value: str | int | None) -> str:
    """A literal."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if "\0" in value:
        raise ValueError("a NUL character cannot stand in SQL text")
    return "'" + value.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """A quoted identifier; several parts are joined by dots outside."""
    return '"' + identifier.replace('"', '""') + '"'


def listed(values: Iterable[str]) -> str:
    """A list literal of texts."""
    return "[" + ", ".join(quoted(value) for value in values) + "]"


@cache
def sql_file(folder: str, file: str) -> str:
    """The statement of `warehouse/sql/<folder>/<file>.sql`."""
    return (SQL_FOLDER / folder / f"{file}.sql").read_text(encoding="utf-8")


@cache
def sql_names(folder: str) -> tuple[str, ...]:
    """Names of the statements of a folder, in order of name."""
    return tuple(path.stem for path in sorted((SQL_FOLDER / folder).glob("*.sql")))


def filled(statement: str, values: Mapping[str, str]) -> str:
    """The statement with its `${...}` places filled with SQL text."""
    return Template(statement).substitute(values)


@contextmanager
def one_transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Many small statements in one transaction: each alone would wait for the disk."""
    con.execute("BEGIN").fetchall()
    try:
        yield
    except GeneratorExit:  # an interrupt before the block began; closing the connection undoes it
        raise
    except BaseException:
        con.execute("ROLLBACK").fetchall()
        raise
    con.execute("COMMIT").fetchall()
