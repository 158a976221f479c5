"""Sheets of an .xlsx workbook as exact text, streamed from its XML."""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import Any

from transforms.read.worker import values, xml
from transforms.read.worker.problems import (
    RefusedError,
    Send,
    SheetWriter,
    column_letters,
    column_number,
)

_REF = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


def read(path: str, sheet: str | None, limits: dict[str, int], send: Send) -> None:
    """Sends the cells of one sheet or of all worksheets, hidden ones too.

    Raises:
        RefusedError: The workbook is broken, too large or has no such sheet.
    """
    with zipfile.ZipFile(path) as archive:
        book = _Book(archive)
        book.choose(sheet)
        book.refuse_shared_parts()
        for name, member, state in book.sheets:
            if sheet is None or name == sheet:
                _read_sheet(book, name, member, state, limits, send)


class _Book:
    """Sheets, shared strings, number formats and date system of a workbook."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.members = {name.lower(): name for name in archive.namelist()}
        main = next(
            (
                t
                for kind, t in self.relations("_rels/.rels", "").values()
                if kind == "officeDocument"
            ),
            "xl/workbook.xml",
        )
        self.date_system = 1900
        self.sheets: list[tuple[str, str, str]] = []
        folder, file = posixpath.split(main)
        relations = self.relations(f"{folder}/_rels/{file}.rels", folder)
        self._read_book(main, relations)
        part = dict(relations.values())
        self.strings = self._read_strings(part.get("sharedStrings"))
        self.kinds = self._read_styles(part.get("styles"))

    def choose(self, sheet: str | None) -> None:
        """RefusedError if there is no such sheet."""
        names = [name for name, _, _ in self.sheets]
        if sheet is not None and sheet not in names:
            raise RefusedError(
                "MISSING_SHEET",
                f"has no sheet '{sheet}'; its sheets are {', '.join(repr(n) for n in names[:20])}",
                "correct 'sheet' in the center's spec, or ask the center for the usual layout",
                sheet=sheet,
            )

    def refuse_shared_parts(self) -> None:
        """RefusedError if two sheets are one part: thousands of them cost a file nothing, and a run much."""
        first: dict[str, str] = {}
        for name, member, _ in self.sheets:
            other = first.setdefault(member.lower(), name)
            if other is not name:
                raise RefusedError(
                    "CORRUPT",
                    f"its sheets '{other[:40]}' and '{name[:40]}' are one part of the file",
                    "open it in Excel and save it again",
                    sheet=name,
                )

    def relations(self, member: str, folder: str) -> dict[str, tuple[str, str]]:
        """Relation id → (kind, member) of a part; empty if it has none."""
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes.get("Target", "")
                path = target[1:] if target.startswith("/") else posixpath.join(folder, target)
                kind = attributes.get("Type", "").rpartition("/")[2]
                found[attributes.get("Id", "")] = (kind, posixpath.normpath(path))

        if member.lower() in self.members:
            self.parse(member, start)
        return found

    def parse(self, member: str, *handlers: Any) -> None:
        """Runs handlers over a member."""
        real = self.members.get(member.lower())
        if real is None:
            raise RefusedError(
                "CORRUPT", f"its part '{member}' is missing", "open it in Excel and save it again"
            )
        with self.archive.open(real) as stream:
            xml.parse(stream, *handlers)

    def _read_book(self, member: str, relations: dict[str, tuple[str, str]]) -> None:
        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "workbookPr" and attributes.get("date1904", "0") in {"1", "true", "on"}:
                self.date_system = 1904
            elif name == "sheet":
                identity = xml.attribute(
                    {k: v for k, v in attributes.items() if k.endswith(" id")}, "id"
                )
                kind, target = relations.get(identity or "", ("", ""))
                if kind == "worksheet":
                    state = attributes.get("state", "visible")
                    self.sheets.append((attributes.get("name", ""), target, state))

        self.parse(member, start)

    def _read_strings(self, member: str | None) -> list[str]:
        strings: list[str] = []
        parts: list[str] = []
        state = {"text": False, "phonetic": False}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "si":
                parts.clear()
            elif name == "rPh":
                state["phonetic"] = True
            elif name == "t":
                state["text"] = not state["phonetic"]

        def end(name: str) -> None:
            if name == "si":
                strings.append(values.unescape("".join(parts)))
            elif name == "rPh":
                state["phonetic"] = False
            elif name == "t":
                state["text"] = False

        def text(data: str) -> None:
            if state["text"]:
                parts.append(data)

        if member is not None and member.lower() in self.members:
            self.parse(member, start, end, text)
        return strings

    def _read_styles(self, member: str | None) -> list[str]:
        custom: dict[int, str] = {}
        kinds: list[str] = []
        inside = {"cellXfs": False}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "numFmt":
                custom[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
            elif name == "cellXfs":
                inside["cellXfs"] = True
            elif name == "xf" and inside["cellXfs"]:
                code = int(attributes.get("numFmtId", "0"))
                kinds.append(values.format_kind(custom.get(code, code)))

        def end(name: str) -> None:
            if name == "cellXfs":
                inside["cellXfs"] = False

        if member is not None and member.lower() in self.members:
            self.parse(member, start, end)
        return kinds


def _read_sheet(
    book: _Book, name: str, member: str, state: str, limits: dict[str, int], send: Send
) -> None:
    send({"sheet": name})
    writer = SheetWriter(send, limits, name)
    handler = _SheetHandler(book, writer, name)
    book.parse(member, handler.start, handler.end, handler.text)
    writer.finish(date_system=book.date_system, hidden=state != "visible")


class _SheetHandler:
    """Events of one worksheet → rows."""

    def __init__(self, book: _Book, writer: SheetWriter, name: str) -> None:
        self._book, self._writer, self._name = book, writer, name
        self._row = self._column = 0
        self._cells: dict[int, str] = {}
        self._columns: set[int] = set()  # of the row, so far; empty cells too
        self._type, self._style = "n", 0
        self._inline = False  # inside `is`, whose runs of text belong together
        self._parts: list[str] = []
        self._taking = self._formula = self._phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._column = self._column_of(attributes.get("r"))
            if self._column in self._columns:
                raise self._broken(f"column {column_letters(self._column)} stands twice in a row")
            self._columns.add(self._column)
            self._type = attributes.get("t", "n")
            self._style = self._place(attributes.get("s", "0"), "the style of a cell")
            self._formula = self._inline = False
            self._parts.clear()
        elif name in ("v", "is"):
            if self._parts:
                raise self._broken("a cell has two values")
            self._inline, self._taking = name == "is", name == "v"
        elif name == "t" and not self._phonetic:
            if not self._inline:
                raise self._broken("a text stands outside of its cell's value")
            self._taking = True
        elif name == "row":
            number = attributes.get("r")
            self._row = self._place(number, "the number of a row") if number else self._row + 1
            self._column = 0
            self._cells, self._columns = {}, set()
            if attributes.get("hidden") in {"1", "true"}:
                self._writer.hidden_rows.add(str(self._row))
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._phonetic = True
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif name == "col" and attributes.get("hidden") in {"1", "true"}:
            self._writer.hidden_columns.add(
                attributes.get("min", "") + "-" + attributes.get("max", "")
            )

    def text(self, data: str) -> None:
        if self._taking:
            self._parts.append(data)

    def end(self, name: str) -> None:
        if name == "c":
            self._cell()
        elif name in ("v", "t"):
            self._taking = False
        elif name == "is":
            self._inline = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "row":
            self._writer.row(self._row, self._cells)
            self._cells = {}

    def _column_of(self, reference: str | None) -> int:
        if reference is None:
            return self._column + 1
        match = _REF.fullmatch(reference)
        if match is None or int(match.group(2)) != self._row:
            raise self._broken(f"cell '{reference[:20]}' stands in the wrong row")
        return column_number(match.group(1))

    def _place(self, text: str, what: str) -> int:
        try:
            return values.whole(text)
        except ValueError:
            raise self._broken(f"{what} is no number") from None

    def _broken(self, problem: str) -> RefusedError:
        return RefusedError(
            "CORRUPT", problem, "save it again in Excel", sheet=self._name, row=self._row
        )

    def _merge(self, reference: str) -> None:
        ends = _REF.findall(reference)
        if len(ends) == 2 and len(self._writer.merged) < 10_000:
            (left, top), (right, bottom) = ends
            self._writer.merged.append(
                (int(top), column_number(left), int(bottom), column_number(right))
            )

    def _cell(self) -> None:
        text, place = "".join(self._parts), None
        if self._formula:
            place = f"{column_letters(self._column)}{self._row}"
            self._writer.formulas.add(place)
        if not text:
            if self._formula and self._type != "str":  # Excel gives empty results this type
                self._writer.uncalculated.add(place or "")
                self._cells[self._column] = "#FORMULA"
            return
        self._cells[self._column] = self._convert(text)
        if not self._cells[self._column]:
            del self._cells[self._column]

    def _convert(self, text: str) -> str:
        kind = self._type
        if kind == "s":
            try:
                return self._book.strings[values.whole(text)]
            except (ValueError, IndexError):
                raise self._broken("a text is missing from the workbook") from None
        if kind == "n":
            style = (
                self._book.kinds[self._style] if self._style < len(self._book.kinds) else "number"
            )
            return values.number_text(text) if style == values.NUMBER else self._date(text, style)
        if kind == "b":
            return "TRUE" if text.strip() in {"1", "true"} else "FALSE"
        if kind == "e":
            self._writer.errors.add(f"{column_letters(self._column)}{self._row}")
            return text
        if kind == "d":
            return re.sub(r"T00:00(:00(\.0+)?)?Z?$", "", text.strip())
        return values.unescape(text)

    def _date(self, text: str, style: str) -> str:
        serial = values.number(text)
        if serial is None:
            return text
        result = values.date_text(serial, self._book.date_system, style)
        if style in (values.MONTH, values.YEAR) and len(result) < 10:
            self._writer.months.add(f"{column_letters(self._column)}{self._row}")
        return result
