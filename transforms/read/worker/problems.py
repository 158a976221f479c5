"""Refusals and small shared parts of the child."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

Send = Callable[[dict[str, Any]], None]
BATCH_ROWS = 2_000
NAMED = 30
_COLUMNS: dict[str, int] = {}


class RefusedError(Exception):
    """The file is refused; becomes a FileError in the parent. `place` may hold sheet, row, column."""

    def __init__(self, code: str, problem: str, fix: str = "", **place: Any) -> None:
        super().__init__(problem)
        self.answer = {"code": code, "problem": problem, "fix": fix, **place}


def column_letters(column: int) -> str:
    """Excel's name of a 1-based column."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """1-based number of a column's letters."""
    number = _COLUMNS.get(letters)
    if number is None:
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - 64
        _COLUMNS[letters] = number
    return number


def listed(places: list[str], total: int) -> str:
    """Places for a note, the first of them by name."""
    shown = ", ".join(places[:NAMED])
    return shown if total <= NAMED else f"{shown} and {total - NAMED} more"


@dataclass(slots=True)
class Places:
    """Cells or rows of one sort: their number and the names of the first."""

    total: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """One more."""
        self.total += 1
        if self.total <= NAMED:
            self.names.append(name)

    def note(self, text: str) -> list[str]:
        """The note, `{}` filled with number and names; nothing if there are none."""
        return (
            [text.format(f"{self.total} ({listed(self.names, self.total)})")] if self.total else []
        )


class SheetWriter:
    """Takes the cells of one sheet in order of rows and sends them in batches.

    Cells without a value are not given to it, so that formatted but empty cells cost nothing.
    """

    def __init__(self, send: Send, limits: dict[str, int], sheet: str) -> None:
        self._send, self._limits, self._sheet = send, limits, sheet
        self._numbers: list[int] = []
        self._rows: list[list[str | None]] = []
        self.cells = 0
        self.first_row = self.last_row = self.last_column = self.wide_row = 0
        self.body: tuple[int, int] = (0, 0)
        self.formulas, self.uncalculated, self.errors = Places(), Places(), Places()
        self.hidden_rows, self.hidden_columns, self.months = Places(), Places(), Places()
        self.merged: list[tuple[int, int, int, int]] = []

    def row(self, number: int, cells: dict[int, str]) -> None:
        """The cells of one physical row by 1-based column; rows may not come twice.

        Raises:
            RefusedError: CORRUPT for rows out of order, TOO_LARGE above the limit of cells.
        """
        if not cells:
            return
        if number <= self.last_row:
            raise RefusedError(
                "CORRUPT", "rows out of order", "save it again in Excel", sheet=self._sheet
            )
        width = max(cells)
        limit = self._limits["columns"]
        self.first_row = self.first_row or number
        if width > limit:
            self.wide_row = self.wide_row or number
        self.last_row, self.last_column = number, max(self.last_column, width)
        self.cells += len(cells)
        if self.cells > self._limits["cells"]:
            raise RefusedError(
                "TOO_LARGE",
                f"more than {self._limits['cells']:,} cells",
                "send large tables as CSV",
                sheet=self._sheet,
            )
        self._numbers.append(number)
        self._rows.append([cells.get(at) for at in range(1, min(width, limit) + 1)])
        if len(self._rows) >= BATCH_ROWS:
            self._flush()

    def finish(self, **facts: Any) -> None:
        """Sends the rest and what is known of the sheet.

        Raises:
            RefusedError: TOO_LARGE if a stray cell blows up the table, TOO_MANY_COLUMNS.
        """
        self._check_extent()
        self._flush()
        notes = [
            *self.formulas.note("cells with formulas, read by their last calculated value: {}"),
            *self.uncalculated.note(
                "formulas that were never calculated, read as #FORMULA: {}; open and save the file in Excel"
            ),
            *self.errors.note("cells that hold an error of Excel: {}"),
            *self.months.note(
                "date cells that show only month or year, read without the day that Excel added: {}"
            ),
            *self.hidden_rows.note("hidden rows, read like the others: {}"),
            *self.hidden_columns.note("hidden columns, read like the others: {}"),
        ]
        self._send(
            {
                "end": self._sheet,
                "merged": self.merged,
                "cells": self.cells,
                "notes": notes,
                **facts,
            }
        )

    def _check_extent(self) -> None:
        area = (self.last_row - self.first_row + 1) * self.last_column
        if area > 5_000_000 and self.cells < area / 100:
            corner = f"{column_letters(self.last_column)}{self.last_row}"
            raise RefusedError(
                "TOO_LARGE",
                f"{self.cells} filled cells are spread over an area up to {corner}: "
                "a stray cell stands far outside the table",
                "delete the rows below and the columns right of the table, and save again",
                sheet=self._sheet,
            )
        if self.wide_row:
            raise RefusedError(
                "TOO_MANY_COLUMNS",
                f"{self.last_column} columns, at most {self._limits['columns']} are read",
                "export only the columns that the study needs",
                sheet=self._sheet,
                row=self.wide_row,
            )

    def _flush(self) -> None:
        if self._rows:
            columns = list(zip_longest(*self._rows))
            self._send({"rows": self._numbers, "columns": columns})
            self._numbers, self._rows = [], []


def chunks(stream: Any, size: int = 65_536) -> Iterator[bytes]:
    """The bytes of a stream in pieces."""
    while piece := stream.read(size):
        yield piece
