"""Tables as CSV, one file each, and as one workbook."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.exports.files import csv_cell, write_whole

if TYPE_CHECKING:
    from reports.content import Content
    from reports.sections.model import Section, Table

MOST_ROWS = 1_048_575  # below the heads, in a sheet
WIDEST = 60


def write_csv(content: Content, folder: Path) -> list[Path]:
    """`tables/<name>.csv` of each table as printed; `tables/estimates.csv` with every number."""
    made = [
        write_whole(folder / "tables" / f"{name}.csv", _csv(_cells(table)))
        for name, (_, table) in content.tables().items()
    ]
    columns, rows = content.columns, content.rows
    numbers = _csv([columns, *([row[column] for column in columns] for row in rows)])
    return [*made, write_whole(folder / "tables" / "estimates.csv", numbers)]


def write_workbook(content: Content, folder: Path, *, with_estimates: bool = True) -> Path:
    """`tables/tables.xlsx`: a sheet a table, texts as printed; the last has every number.

    No cell is a formula or a link. The same report gives the same bytes.
    """
    import xlsxwriter

    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    book = xlsxwriter.Workbook(buffer, options)
    cut = content.data_cut
    created = dt.datetime(cut.year, cut.month, cut.day)
    book.set_properties({"title": content.title, "created": created})
    formats = {
        "title": book.add_format({"bold": True, "font_size": 12}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
        "strong": book.add_format({"bold": True}),
        "level": book.add_format({"indent": 1}),
        "cell": book.add_format({"align": "right"}),
        "note": book.add_format({"italic": True}),
    }
    taken: set[str] = set()
    for name, (section, table) in content.tables().items():
        _sheet(book.add_worksheet(sheet_name(name, taken)), section, table, formats)
    if with_estimates and len(content.rows) <= MOST_ROWS:
        _numbers(book.add_worksheet(sheet_name("estimates", taken)), content, formats)
    book.close()
    return write_whole(folder / "tables" / "tables.xlsx", buffer.getvalue())


def sheet_name(name: str, taken: set[str]) -> str:
    """A name that a workbook allows and that no earlier sheet has; it is noted in `taken`."""
    base = re.sub(r"[\[\]:*?/\\']", "_", name)[:31] or "table"
    found, number = base, 1
    while found.casefold() in taken:
        number += 1
        found = f"{base[: 30 - len(str(number))]}_{number}"
    taken.add(found.casefold())
    return found


def _sheet(sheet: Any, section: Section, table: Table, formats: dict[str, Any]) -> None:
    sheet.write_string(0, 0, table.caption or section.heading, formats["title"])
    rows = list(_cells(table))
    for column, head in enumerate(rows[0]):
        sheet.write_string(2, column, head, formats["head"])
    for number, (line, row) in enumerate(zip(table.lines, rows[1:], strict=True), start=3):
        kind = "strong" if line.is_head else "level" if line.is_level else None
        sheet.write_string(number, 0, row[0], formats[kind] if kind else None)
        for column, cell in enumerate(row[1:], start=1):
            if cell:
                sheet.write_string(number, column, cell, formats["cell"])
    widths = [
        max((len(row[c]) for row in rows if c < len(row)), default=0) for c in range(len(rows[0]))
    ]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(WIDEST, max(8, width + 2)))
    sheet.freeze_panes(3, 1)


def _numbers(sheet: Any, content: Content, formats: dict[str, Any]) -> None:
    for column, name in enumerate(content.columns):
        sheet.write_string(0, column, name, formats["head"])
    for number, row in enumerate(content.rows, start=1):
        for column, name in enumerate(content.columns):
            value = row[name]
            if isinstance(value, int | float) and not isinstance(value, bool):
                if value == value and abs(value) != float("inf"):
                    sheet.write_number(number, column, value)
            elif value is not None:
                sheet.write_string(number, column, str(value))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(content.rows), len(content.columns) - 1)


def _cells(table: Table) -> Iterable[Sequence[str]]:
    return [[table.corner, *table.heads], *([line.label, *line.cells] for line in table.lines)]


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow([csv_cell(value) for value in row])
    return buffer.getvalue()
