"""Excel workbooks: plain sheets, two-row headers, real dates in either date system."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from demo.files import STAMP
from demo.grid import Cell, Grid

SYNTHETIC = "Synthetic data: no real person is described in this file."


class Book:
    """One workbook in memory."""

    def __init__(self, *, date_1904: bool = False, date_format: str = "dd.mm.yyyy") -> None:
        self._out = io.BytesIO()
        options = {"in_memory": True, "date_1904": date_1904, "strings_to_urls": False}
        self.book = xlsxwriter.Workbook(self._out, options)
        self.book.set_properties(
            {"created": STAMP, "comments": SYNTHETIC, "title": "synthetic data"}
        )
        self._dates = self.book.add_format({"num_format": date_format})

    def format(self, **properties: Any) -> Any:
        """A cell format."""
        return self.book.add_format(properties)

    def sheet(self, grid: Grid, *, header_format: Any = None) -> Any:
        """Write a grid with one header row; returns the worksheet for further touches."""
        sheet = self.book.add_worksheet(grid.sheet)
        for j, column in enumerate(grid.columns):
            sheet.write_string(grid.first_row - 2, j, column.header, header_format)
        self.rows(sheet, grid)
        return sheet

    def two_row_sheet(self, grid: Grid, header_format: Any) -> Any:
        """Write a grid whose headers are `Top / Sub`: merged cells above, names below."""
        sheet = self.book.add_worksheet(grid.sheet)
        tops = [column.header.split(" / ", 1)[0] for column in grid.columns]
        first = grid.first_row - 3
        start = 0
        for j in range(1, len(tops) + 1):
            if j == len(tops) or tops[j] != tops[start]:
                if j - start > 1:
                    sheet.merge_range(first, start, first, j - 1, tops[start], header_format)
                else:
                    sheet.write_string(first, start, tops[start], header_format)
                start = j
        for j, column in enumerate(grid.columns):
            sheet.write_string(first + 1, j, column.header.split(" / ", 1)[1], header_format)
        self.rows(sheet, grid)
        return sheet

    def rows(self, sheet: Any, grid: Grid) -> None:
        """Write the records below the header."""
        for i, row in enumerate(grid.rows(), start=grid.first_row - 1):
            self.row(sheet, i, row)

    def row(self, sheet: Any, i: int, cells: Sequence[Cell]) -> None:
        """Write one row (0-based), text as text, numbers as numbers, dates as dates."""
        for j, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, dt.date):
                sheet.write_datetime(i, j, cell, self._dates)
            elif isinstance(cell, str):
                sheet.write_string(i, j, cell)
            else:
                sheet.write_number(i, j, cell)

    def note_sheet(self, name: str, lines: Sequence[str] = ()) -> None:
        """A sheet of remarks that begins with the word that the data is synthetic."""
        sheet = self.book.add_worksheet(name)
        for i, line in enumerate([SYNTHETIC, *lines]):
            sheet.write_string(i, 0, line)

    def content(self) -> bytes:
        """Close the workbook and give its bytes."""
        self.book.close()
        return self._out.getvalue()
