"""Labels of the tables of schema `analysis` and of their columns: `sql/analysis/labels.csv` as comments."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from warehouse.sql_text import SQL_FOLDER, name, quoted

if TYPE_CHECKING:
    import duckdb


def comments(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """A statement for each label of a table that is there."""
    tables = {
        row[0]
        for row in con.execute(
            "select table_name from duckdb_tables() where schema_name = 'analysis' and not temporary"
        ).fetchall()
    }
    for entry in labels():
        if entry["table"] in tables:
            yield comment(entry, entry["table"])


@cache
def labels() -> tuple[Mapping[str, str], ...]:
    """The rows of `labels.csv`: table, column (empty: of the table itself), label, unit."""
    with (SQL_FOLDER / "analysis" / "labels.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def comment(entry: Mapping[str, str], table: str) -> str:
    """The statement that gives a table of `analysis`, or its column, this label with its unit."""
    target = (
        f"column analysis.{table}.{name(entry['column'])}"
        if entry["column"]
        else f"table analysis.{table}"
    )
    label = entry["label"] + (f" [{entry['unit']}]" if entry["unit"] else "")
    return f"comment on {target} is {quoted(label)}"
