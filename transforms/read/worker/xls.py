"""Sheets of an Excel 97-2003 workbook as exact text, by xlrd."""

from __future__ import annotations

import importlib
import io
from typing import Any

from transforms.read.worker import values
from transforms.read.worker.problems import RefusedError, Send, SheetWriter, column_letters

_TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR = 1, 2, 3, 4, 5


def read(path: str, sheet: str | None, limits: dict[str, int], send: Send) -> None:
    """Sends the cells of one sheet or of all worksheets, hidden ones too.

    Formulas cannot be told from values in this format: the last calculated value is read.

    Raises:
        RefusedError: The workbook is broken, has a password or has no such sheet.
    """
    xlrd = _xlrd()
    with open(path, "rb") as file:  # noqa: PTH123 - a path with raw bytes
        content = file.read()
    try:
        book = xlrd.open_workbook(
            file_contents=content, formatting_info=True, ragged_rows=True, logfile=io.StringIO()
        )
    except xlrd.XLRDError as error:
        if "encrypt" in str(error).lower() or "password" in str(error).lower():
            raise RefusedError(
                "ENCRYPTED", "is protected by a password", "ask the center to remove the password"
            ) from None
        raise RefusedError(
            "CORRUPT", "is not a readable .xls workbook", "save it as .xlsx"
        ) from None
    names = book.sheet_names()
    if sheet is not None and sheet not in names:
        raise RefusedError(
            "MISSING_SHEET",
            f"has no sheet '{sheet}'; its sheets are {', '.join(repr(n) for n in names[:20])}",
            "correct 'sheet' in the center's spec, or ask the center for the usual layout",
            sheet=sheet,
        )
    for name in names:
        if sheet is None or name == sheet:
            _read_sheet(book, book.sheet_by_name(name), limits, send)


def _read_sheet(book: Any, sheet: Any, limits: dict[str, int], send: Send) -> None:
    send({"sheet": sheet.name})
    writer = SheetWriter(send, limits, sheet.name)
    system = 1904 if book.datemode else 1900
    kinds = [values.format_kind(book.format_map[xf.format_key].format_str) for xf in book.xf_list]
    for row in range(sheet.nrows):
        info = sheet.rowinfo_map.get(row)
        if info is not None and info.hidden:
            writer.hidden_rows.add(str(row + 1))
        cells: dict[int, str] = {}
        for column, cell in enumerate(sheet.row(row), 1):
            text = _text(cell, kinds, system, writer, f"{column_letters(column)}{row + 1}")
            if text:
                cells[column] = text
        writer.row(row + 1, cells)
    writer.merged = [
        (top + 1, left + 1, bottom, right) for top, bottom, left, right in sheet.merged_cells
    ]
    writer.finish(date_system=system, hidden=sheet.visibility != 0)


def _text(cell: Any, kinds: list[str], system: int, writer: SheetWriter, place: str) -> str:
    if cell.ctype == _TEXT:
        return str(cell.value)
    if cell.ctype in (_NUMBER, _DATE):
        kind = kinds[cell.xf_index] if cell.xf_index is not None else values.NUMBER
        if kind == values.NUMBER:
            return values.float_text(cell.value)
        text = values.date_text(cell.value, system, kind)
        if kind in (values.MONTH, values.YEAR) and len(text) < 10:
            writer.months.add(place)
        return text
    if cell.ctype == _BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    if cell.ctype == _ERROR:
        writer.errors.add(place)
        return str(_xlrd().error_text_from_code.get(cell.value, "#ERROR"))
    return ""


def _xlrd() -> Any:
    """The library, which has no type stubs; only the child that meets an .xls imports it."""
    return importlib.import_module("xlrd")
