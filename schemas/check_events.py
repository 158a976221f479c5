"""Dated events that contradict a row of another table, such as an entry after the last contact.

The event is found where it stands; the row that it contradicts is blamed, once, with the latest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from schemas.check_data import TableData
from schemas.check_fields import own_field
from schemas.check_plan import Plan, PlannedCheck
from schemas.check_rows import Tallies

_ADDRESS = ("row_id", "source_id", "source_row", "map_id")


class Events:
    """The latest contradicting event of each patient, over all tables and batches."""

    def __init__(self) -> None:
        self._latest: dict[str, pl.DataFrame] = {}
        self._checks: dict[str, PlannedCheck] = {}

    def add(
        self, check: PlannedCheck, data: TableData, rows: pl.DataFrame, positions: pl.Series
    ) -> None:
        """Failing rows of a check that blames a row of another table."""
        column = check.fields[1][1]
        numbered = rows.with_columns(pl.lit(0, dtype=pl.UInt32()).alias("hit"))
        told = own_field(data, numbered, positions, column).select(
            rows["patient_id"],
            rows[column].alias("day"),
            pl.col("table").alias("event_table"),
            pl.col("column").alias("event_column"),
            *_ADDRESS,
            "value",
            "understood",
        )
        earlier = self._latest.get(check.rule)
        both = told if earlier is None else pl.concat([earlier, told])
        self._latest[check.rule] = both.sort("day", descending=True, maintain_order=True).unique(
            "patient_id", keep="first", maintain_order=True
        )
        self._checks[check.rule] = check

    def settle(
        self, plan: Plan, tables: Mapping[str, TableData], tallies: Tallies
    ) -> Iterator[tuple[PlannedCheck, TableData, pl.DataFrame]]:
        """Check, blamed table and events of each rule; the tallies then count blamed rows."""
        blamed: dict[str, int] = {}
        for check in plan.checks:
            if check.about is None or check.about not in tables:
                continue
            tally = tallies.of(check)
            if tally.ran and tally.judged:
                if check.rule not in blamed:
                    blamed[check.rule] = _in_scope(check, tables[check.about])
                tally.judged = blamed[check.rule]
        for rule, events in self._latest.items():
            check = self._checks[rule]
            data = tables[str(check.about)]
            yield check, data, events


def _in_scope(check: PlannedCheck, data: TableData) -> int:
    """Rows of the blamed table that the rule is about."""
    column = check.fields[0][1]
    frame = data.frame.filter(pl.col(column).is_not_null())
    if check.applies is None:
        return frame.height
    named = frame.rename({name: f"{check.about}.{name}" for name in frame.columns})
    return named.filter(check.applies).height
