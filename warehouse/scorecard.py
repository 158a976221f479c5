"""Fills `quality.scorecard`: how good the data of each center are, how its queries stand, and what moved.

The statements of `sql/scorecard` run in the order of `STEPS`; `figures.csv` declares the figures.
The last load of each month of a year is kept.
"""

from __future__ import annotations

import csv
from functools import cache
from typing import TYPE_CHECKING

from warehouse.sql_text import SQL_FOLDER, filled, one_transaction, quoted, sql_file

if TYPE_CHECKING:
    import duckdb

STEPS = ("load", "delivery", "center", "query", "known", "figure")


@cache
def figures() -> dict[str, str]:
    """Every figure, and whether `higher` or `lower` is better; empty where neither is."""
    with (SQL_FOLDER / "scorecard" / "figures.csv").open(encoding="utf-8", newline="") as file:
        return {row["figure"]: row["better"] for row in csv.DictReader(file)}


def fill_scorecard(con: duckdb.DuckDBPyConnection, *, transaction: bool = True) -> int:
    """quality.scorecard from `quality` and `core` of the staged warehouse.

    Call it once queries, events and check runs are filled. A figure that cannot be judged is null.

    Args:
        con: The staged warehouse, open for writing.
        transaction: False inside a transaction of the caller.

    Returns:
        The number of rows.
    """
    if transaction:
        with one_transaction(con):
            return fill_scorecard(con, transaction=False)
    for step in STEPS:
        con.execute(sql_file("scorecard", step)).fetchall()
    declared = ", ".join(
        f"({quoted(figure)}, {quoted(better or None)})" for figure, better in figures().items()
    )
    con.execute(filled(sql_file("scorecard", "scorecard"), {"figures": declared})).fetchall()
    for step in STEPS:
        con.execute(f"DROP TABLE temp.scorecard_{step}").fetchall()
    return int(con.execute("SELECT count(*) FROM quality.scorecard").fetchall()[0][0])
