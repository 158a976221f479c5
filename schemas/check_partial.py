"""Checks of dates that only may violate a rule: judged where a date is partial, of sound rows.

A date of a row that is held back itself says nothing about others, and its center is asked already.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.check_context import ContextBook
from schemas.check_data import TableData
from schemas.check_holds import Holds
from schemas.check_plan import PlannedCheck
from schemas.check_rows import Tallies


def in_doubt(
    frame: pl.DataFrame, checks: Sequence[PlannedCheck], tallies: Tallies, book: ContextBook
) -> list[PlannedCheck]:
    """The checks without those of partial dates where no date that they read is partial."""
    known: dict[tuple[str, str], bool] = {}
    chosen = []
    for check in checks:
        for owner, column in check.partial:
            if (owner, column) not in known:
                home = book.home(owner).frame if owner else frame
                known[owner, column] = bool((home[f"{column}_precision"] != "day").any())
        if not check.partial or any(known[date] for date in check.partial):
            chosen.append(check)
        else:
            tallies.ran(check, 0)
    return chosen


def unheld(
    check: PlannedCheck,
    data: TableData,
    rows: pl.DataFrame,
    own: Holds,
    settled: Holds,
    book: ContextBook,
) -> pl.Series:
    """For each failing row whether neither it nor a row whose date is compared with it is held.

    `own` holds rows of the judged table, `settled` those of the small tables.
    """
    held = rows["row_id"].is_in(own.rows(data.name)["row_id"].implode())
    numbered = rows.with_row_index("hit")
    for owner in dict.fromkeys(owner for owner, _ in check.partial if owner):
        of_owner = settled.rows(book.home(owner).name)["row_id"]
        if of_owner.len():
            behind = book.rows_behind(owner, numbered)
            hits = behind.filter(pl.col("row_id").is_in(of_owner.implode()))["hit"]
            held = held | numbered["hit"].is_in(hits.implode())
    return ~held
