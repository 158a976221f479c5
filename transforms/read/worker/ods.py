"""Sheets of an OpenDocument spreadsheet as exact text, streamed from its XML."""

from __future__ import annotations

import re
import zipfile

from transforms.read.worker import values, xml
from transforms.read.worker.problems import RefusedError, Send, SheetWriter, column_letters

_TIME = re.compile(r"-?PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?")
_CELLS = ("table-cell", "covered-table-cell")
_REPEATED_ROWS = 100_000


def read(path: str, sheet: str | None, limits: dict[str, int], send: Send) -> None:
    """Sends the cells of one sheet or of all sheets, hidden ones too.

    Raises:
        RefusedError: The file is broken, too large or has no such sheet.
    """
    with zipfile.ZipFile(path) as archive, archive.open("content.xml") as stream:
        handler = _Handler(sheet, limits, send)
        xml.parse(stream, handler.start, handler.end, handler.text)
    if sheet is not None and sheet not in handler.names:
        raise RefusedError(
            "MISSING_SHEET",
            f"has no sheet '{sheet}'; its sheets are "
            + ", ".join(repr(name) for name in handler.names[:20]),
            "correct 'sheet' in the center's spec, or ask the center for the usual layout",
            sheet=sheet,
        )


class _Styles:
    """Which styles hide a table, and which show only month or year of a date."""

    def __init__(self) -> None:
        self.hidden: set[str] = set()
        self._shown: dict[str, set[str]] = {}  # date style → its parts
        self._data_style: dict[str, str] = {}  # cell style → date style
        self._date = self._style = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "style":
            self._style = xml.attribute(attributes, "name") or ""
            self._data_style[self._style] = xml.attribute(attributes, "data-style-name") or ""
        elif name == "table-properties" and xml.attribute(attributes, "display") == "false":
            self.hidden.add(self._style)
        elif name == "date-style":
            self._date = xml.attribute(attributes, "name") or ""
            self._shown[self._date] = set()
        elif name in ("day", "month", "year", "hours", "minutes", "week-of-year", "day-of-week"):
            self._shown.setdefault(self._date, set()).add(name)

    def date_kind(self, style: str) -> str:
        """DATE, MONTH or YEAR."""
        shown = self._shown.get(self._data_style.get(style, ""), set())
        if shown == {"year"}:
            return values.YEAR
        return values.MONTH if shown == {"month", "year"} else values.DATE


class _Handler:
    """Events of content.xml → rows of the sheets."""

    def __init__(self, wanted: str | None, limits: dict[str, int], send: Send) -> None:
        self._wanted, self._limits, self._send = wanted, limits, send
        self.names: list[str] = []
        self._styles = _Styles()
        self._writer: SheetWriter | None = None
        self._hidden = False
        self._row = self._column = self._row_repeat = 0
        self._cells: dict[int, str] = {}
        self._defaults: list[tuple[int, str]] = []  # last column of a span, its cell style
        self._cell: dict[str, str] = {}
        self._parts: list[str] = []
        self._paragraphs = self._comment = 0
        self._in_paragraph = self._in_cell = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._writer is None:
            if name == "table":
                self._open_table(attributes)
            else:
                self._styles.start(name, attributes)
        elif name in _CELLS:
            self._cell = {key.rpartition(" ")[2]: text for key, text in attributes.items()}
            if any(
                key.endswith("value-type") and text == "error" for key, text in attributes.items()
            ):
                self._cell["error"] = "true"
            self._parts, self._paragraphs, self._in_cell = [], 0, True
        elif name == "table-row":
            self._row_repeat = _number(attributes, "number-rows-repeated")
            self._column, self._cells = 0, {}
            if xml.attribute(attributes, "visibility") in ("collapse", "filter"):
                self._writer.hidden_rows.add(str(self._row + 1))
        elif name == "table-column":
            last = (self._defaults[-1][0] if self._defaults else 0) + _number(
                attributes, "number-columns-repeated"
            )
            self._defaults.append(
                (last, xml.attribute(attributes, "default-cell-style-name") or "")
            )
        elif name == "annotation":
            self._comment += 1
        elif self._in_cell and not self._comment:
            self._start_text(name, attributes)

    def _start_text(self, name: str, attributes: dict[str, str]) -> None:
        if name == "p":
            if self._paragraphs:
                self._parts.append("\n")
            self._paragraphs += 1
            self._in_paragraph = True
        elif name == "s":
            self._parts.append(" " * min(_number(attributes, "c"), 10_000))
        elif name == "tab":
            self._parts.append("\t")
        elif name == "line-break":
            self._parts.append("\n")

    def text(self, data: str) -> None:
        if self._in_paragraph and not self._comment:
            self._parts.append(data)

    def end(self, name: str) -> None:
        if name == "p" and not self._comment:
            self._in_paragraph = False
        elif name == "annotation":
            self._comment -= 1
        elif self._writer is None:
            return
        elif name in _CELLS:
            self._end_cell(self._writer)
        elif name == "table-row":
            self._end_row(self._writer)
        elif name == "table":
            self._writer.finish(date_system=1900, hidden=self._hidden)
            self._writer = None

    def _open_table(self, attributes: dict[str, str]) -> None:
        name = xml.attribute(attributes, "name") or ""
        self.names.append(name)
        self._row, self._defaults = 0, []
        self._hidden = (xml.attribute(attributes, "style-name") or "") in self._styles.hidden
        silent = self._wanted is not None and name != self._wanted
        send: Send = _drop if silent else self._send
        send({"sheet": name})
        self._writer = SheetWriter(send, self._limits, name)

    def _end_cell(self, writer: SheetWriter) -> None:
        self._in_cell = False
        repeat = _number(self._cell, "number-columns-repeated")
        first, row = self._column + 1, self._row + 1
        self._column += repeat
        text = self._value(writer, first, row)
        if "formula" in self._cell:
            writer.formulas.add(f"{column_letters(first)}{row}")
        spans = _number(self._cell, "number-columns-spanned")
        down = _number(self._cell, "number-rows-spanned")
        if spans > 1 or down > 1:
            writer.merged.append((row, first, row + down - 1, first + spans - 1))
        if not text:
            return
        if repeat > self._limits["columns"]:
            raise RefusedError(
                "TOO_LARGE", f"one value is repeated over {repeat} columns", "delete the row",
                row=row,
            )  # fmt: skip
        for column in range(first, first + repeat):
            self._cells[column] = text

    def _end_row(self, writer: SheetWriter) -> None:
        if self._cells and self._row_repeat > _REPEATED_ROWS:
            raise RefusedError(
                "TOO_LARGE",
                f"one row is repeated {self._row_repeat} times",
                "delete the rows below the table",
                row=self._row + 1,
            )
        if self._cells:
            for number in range(self._row + 1, self._row + self._row_repeat + 1):
                writer.row(number, self._cells)
        self._row += self._row_repeat

    def _value(self, writer: SheetWriter, column: int, row: int) -> str:
        cell = self._cell
        kind = cell.get("value-type", "")
        shown = "".join(self._parts)
        if cell.get("error") or kind == "error":
            writer.errors.add(f"{column_letters(column)}{row}")
            return shown
        if kind in ("float", "percentage", "currency") and "value" in cell:
            return values.number_text(cell["value"])
        if kind == "date" and "date-value" in cell:
            return self._date(writer, column, row)
        if kind == "time" and "time-value" in cell:
            return _time(cell["time-value"])
        if kind == "boolean":
            return cell.get("boolean-value", "").upper()
        return shown or cell.get("string-value", "")

    def _date(self, writer: SheetWriter, column: int, row: int) -> str:
        text = re.sub(r"T00:00(:00(\.0+)?)?$", "", self._cell["date-value"])
        style = self._cell.get("style-name") or next(
            (style for last, style in self._defaults if column <= last), ""
        )
        kind = self._styles.date_kind(style)
        length = {values.MONTH: 7, values.YEAR: 4}.get(kind, 10)
        if length < 10 and len(text) == 10 and text[length:] in ("-01", "-01-01"):
            writer.months.add(f"{column_letters(column)}{row}")
            return text[:length]
        return text


def _drop(_: object) -> None:
    """Takes the cells of sheets that nobody asked for."""


def _number(attributes: dict[str, str], name: str) -> int:
    text = xml.attribute(attributes, name)
    return max(int(text), 1) if text and text.isascii() and text.isdigit() else 1


def _time(text: str) -> str:
    match = _TIME.fullmatch(text)
    if match is None:
        return text
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return values.time_text(round((hours * 3600 + minutes * 60 + seconds) * 1000))
