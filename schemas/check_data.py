"""Frames that the check works on: what one table brought, in one piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Protocol

import polars as pl

from schemas.catalog import Table
from schemas.check_few import Lookup
from schemas.staging import IDENTITY, ISSUE


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What the check must know of a delivery besides its rows.

    `known_patients` are ids that an earlier delivery of the center brought and that this one builds
    on (mode append); their rows are no orphans. `dates_shifted`: the center moved all dates of each
    patient by some days on purpose, so that rules on days of the calendar do not apply.
    `responses_past_next_line`: the study counts responses to a line after the next one has started.
    `bridge_days`: how many days after a bridge the systemic line starts at the latest.
    """

    center_id: str
    country: str
    export_date: date | None
    data_cut: date | None
    today: date | None = None
    known_patients: frozenset[str] = field(default_factory=frozenset)
    dates_shifted: bool = False
    responses_past_next_line: bool = False
    bridge_days: int = 30

    @property
    def columns(self) -> Mapping[str, object]:
        """Facts under the names by which rules read them."""
        return {
            "delivery.export_date": self.export_date,
            "delivery.data_cut": self.data_cut,
            "delivery.country": self.country,
            "delivery.dates_shifted": self.dates_shifted,
            "delivery.responses_past_next_line": self.responses_past_next_line,
            "delivery.bridging": timedelta(days=self.bridge_days),
        }


FACT_TYPES: Mapping[str, pl.DataType] = {
    "delivery.export_date": pl.Date(),
    "delivery.data_cut": pl.Date(),
    "delivery.country": pl.String(),
    "delivery.dates_shifted": pl.Boolean(),
    "delivery.responses_past_next_line": pl.Boolean(),
    "delivery.bridging": pl.Duration("us"),
}


class Batch(Protocol):
    """Mapped rows of one table, as `transforms.harmonize.mapping.MappedBatch`."""

    @property
    def table(self) -> str:
        """Canonical table."""

    @property
    def frame(self) -> pl.DataFrame:
        """Rows as `Table.frame_schema`."""

    @property
    def raw(self) -> pl.DataFrame:
        """The same rows as text, for the mapped columns."""

    @property
    def issues(self) -> pl.DataFrame:
        """What was not understood, `ISSUE`."""


@dataclass(frozen=True, slots=True)
class TableData:
    """Rows of a table with their text as read, the issues on them, and the columns delivered.

    `shown` keeps what contexts show of these rows, by the context's name, for all who ask in turn.
    """

    table: Table
    frame: pl.DataFrame
    raw: pl.DataFrame
    issues: pl.DataFrame
    delivered: frozenset[str]
    shown: dict[str, pl.DataFrame | Lookup] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name


def table_data(table: Table, batches: Sequence[Batch]) -> TableData:
    """The batches of one table put together, issue positions counted on."""
    if len(batches) == 1:
        batch = batches[0]
        return TableData(table, batch.frame, batch.raw, batch.issues, _delivered(table, batch))
    start = 0
    issues = []
    for batch in batches:
        issues.append(batch.issues.with_columns((pl.col("index") + start).cast(ISSUE["index"])))
        start += batch.frame.height
    return TableData(
        table,
        pl.concat([batch.frame for batch in batches]),
        pl.concat([_with_rows(batch.raw, batch.frame.height) for batch in batches], how="diagonal"),
        pl.concat(issues),
        frozenset().union(*(_delivered(table, batch) for batch in batches)),
    )


def constant(name: str, value: str | None, height: int) -> pl.Series:
    """A text column of one value."""
    return _single(name, value).new_from_index(0, height)


@cache
def _single(name: str, value: str | None) -> pl.Series:
    """Names and values are those of rules and tables, so there are few."""
    return pl.Series(name, [value], dtype=pl.String())


def _with_rows(raw: pl.DataFrame, height: int) -> pl.DataFrame:
    """A frame without columns has no height; a column of nothing gives it one."""
    return raw if raw.width else pl.DataFrame({"": [None] * height}, schema={"": pl.String()})


def _delivered(table: Table, batch: Batch) -> frozenset[str]:
    """Columns that this batch can say something about: mapped, or filled by a constant."""
    filled = [
        column.name
        for column in table.columns
        if column.name not in batch.raw.columns
        and batch.frame[column.name].null_count() < batch.frame.height
    ]
    return frozenset(batch.raw.columns) | frozenset(filled) | IDENTITY.keys()
