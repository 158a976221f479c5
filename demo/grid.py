"""Tables as a center writes them: records of true values, columns that format them, addresses.

A fault changes a value of a record before the file is written; where it ended up (file, sheet, row,
column header) is read off the same grid, so that the truth and the files cannot drift apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Cell = str | int | float | dt.date | dt.datetime | None
Facts = dict[str, Any]


@dataclass(frozen=True)
class Raw:
    """A cell that is written as it stands, past the column's format."""

    cell: Cell


@dataclass(frozen=True)
class Column:
    """Header as written, the fact that stands in it, and how a value becomes a cell."""

    header: str
    fact: str = ""
    write: Callable[[Any], Cell] = str
    empty: Cell = None  # what stands where nothing is known


@dataclass(eq=False)
class Record:
    """One row. `patient` is the true local id; `facts` what the row tells."""

    patient: str
    facts: Facts
    kind: str = ""  # which part of the data: patient, line, assessment, lab, lesion ...


@dataclass(frozen=True)
class Address:
    """Where a value stands in a delivery; `row` is 1-based and physical."""

    file: str
    sheet: str
    row: int
    column: str


@dataclass(eq=False)
class Grid:
    """One sheet or file: columns, records, and the physical row of the first record."""

    file: str
    sheet: str
    columns: list[Column]
    records: list[Record] = field(default_factory=list)
    first_row: int = 2
    extra: dict[str, Any] = field(default_factory=dict)  # what only the center's writer needs

    def cells(self, record: Record) -> list[Cell]:
        """The row as it is written."""
        return [_cell(column, record.facts.get(column.fact)) for column in self.columns]

    def rows(self) -> Iterator[list[Cell]]:
        """All rows in order."""
        return (self.cells(record) for record in self.records)

    def column(self, fact: str) -> Column | None:
        """The column in which a fact stands, if it stands here."""
        return next((c for c in self.columns if c.fact == fact), None)


def _cell(column: Column, value: Any) -> Cell:
    if value is None:
        return column.empty
    return value.cell if isinstance(value, Raw) else column.write(value)


@dataclass(eq=False)
class Export:
    """One delivery of a center before it is written."""

    center: str
    round: int
    grids: list[Grid]

    def find(self, patient: str, fact: str, **where: Any) -> Record:
        """The record of a patient in which a fact can stand; KeyError if there is none."""
        for record in self.all_records(patient, fact):
            if all(record.facts.get(name) == value for name, value in where.items()):
                return record
        raise KeyError((self.center, fact))

    def all_records(self, patient: str, fact: str) -> list[Record]:
        """Records of a patient that could hold a fact, in the order of the files."""
        return [
            record
            for grid in self.grids
            if grid.column(fact)
            for record in grid.records
            if record.patient == patient and fact in record.facts
        ]

    def has(self, fact: str) -> bool:
        """Whether the center reports a fact at all."""
        return any(grid.column(fact) for grid in self.grids)

    def grids_of(self, record: Record) -> list[Grid]:
        """The grids that hold a record."""
        return [grid for grid in self.grids if any(r is record for r in grid.records)]

    def address(self, record: Record, fact: str) -> Address:
        """Where a fact of a record stands in the delivery as it will be written."""
        for grid in self.grids_of(record):
            column = grid.column(fact)
            if column is not None:
                row = next(i for i, r in enumerate(grid.records) if r is record)
                return Address(grid.file, grid.sheet, row + grid.first_row, column.header)
        raise KeyError((self.center, fact))


@dataclass(frozen=True)
class Coded:
    """Format by a center's own words or codes; several spellings of one code are not told apart."""

    codes: Mapping[Any, Cell]

    def __call__(self, value: Any) -> Cell:
        """The center's word for a canonical code."""
        return self.codes[value]


@dataclass(frozen=True)
class Dated:
    """Format of dates as text."""

    pattern: str

    def __call__(self, value: dt.date) -> str:
        """The date as the center writes it."""
        return value.strftime(self.pattern)


def comma(value: float) -> str:
    """Number with a decimal comma."""
    return plain(value).replace(".", ",")


def plain(value: float) -> str:
    """Shortest text of a number, whole numbers without a decimal point."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def as_is(value: Any) -> Any:
    """The value itself: numbers, dates and text that the file format can hold."""
    return value
