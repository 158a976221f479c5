"""The lines of a CSV block that are not plainly good: longer records, rejects, and doubtful files."""

from __future__ import annotations

import re

import polars as pl

from transforms.read.cells import check_rejects, has_bad_characters
from transforms.read.csv_layout import OPEN, Layout, split_record
from transforms.read.source import Source
from transforms.read.tables import Limits

_MANY = 50_000  # records are put into a frame when so many are there: as lists they are large


class Walk:
    """Looks at the lines of a block that are not plainly good, in order."""

    def __init__(
        self,
        source: Source,
        layout: Layout,
        lines: list[str],
        good: pl.Series,
        first_line: int,
        limits: Limits,
    ) -> None:
        self._source, self._layout, self._lines = source, layout, lines
        self._good, self._first, self._limits = good.to_list(), first_line, limits
        self._frames: list[pl.DataFrame] = []
        self.records: list[tuple[int, list[str]]] = []
        self.rejects: list[tuple[int, str, str]] = []
        self.swallowed: list[int] = []  # indexes of good-looking lines inside a longer record
        self.n_blank = 0
        self.is_open = False
        self.open_from = len(lines)

    def run(self, *, last: bool, unterminated: bool) -> None:
        """Judges all of them; fills `records`, `rejects`, `swallowed` and `n_blank`.

        Raises:
            FileError: QUOTING, TRUNCATED or LINE_ENDING.
        """
        after = 0
        blank = "\r" if self._layout.terminator == "\r\n" else ""
        for index, good in enumerate(self._good):
            if good or index < after:
                continue
            if self._lines[index] == blank:
                self.n_blank += 1
                continue
            after = self._record(index, last=last, unterminated=unterminated)
            if self.is_open:
                break
            if len(self.records) >= _MANY:
                self._frames.append(self._frame())
            if len(self.rejects) > self._limits.rejects:
                break
        check_rejects(self._source, self.rejects, self._limits.rejects)

    def frame(self) -> pl.DataFrame:
        """The records found, as `_row` and cells."""
        return pl.concat([*self._frames, self._frame()])

    def _frame(self) -> pl.DataFrame:
        rows = [[row, *cells] for row, cells in self.records]
        schema = {"_row": pl.Int32(), **dict.fromkeys(self._layout.names, pl.String())}
        self.records = []
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _record(self, index: int, *, last: bool, unterminated: bool) -> int:
        """Judges the record that begins at `index`; gives the index after it."""
        layout, row = self._layout, self._first + index
        text = self._strip(self._lines[index])
        cells = split_record(text, layout.delimiter, layout.quote)
        if cells == OPEN:
            return self._long_record(index, last=last, unterminated=unterminated)
        self._check_ending(index, index + 1, unterminated)
        if isinstance(cells, list) and _is_blank(cells) and not has_bad_characters(text):
            self.n_blank += 1
            return index + 1
        at_end = last and unterminated and index == len(self._lines) - 1
        self._judge(row, text, cells, cut_off=at_end)
        return index + 1

    def _judge(self, row: int, text: str, cells: list[str] | str, *, cut_off: bool) -> None:
        width = self._layout.width
        if isinstance(cells, str):
            problem = f"a {self._layout.quote} stands inside a field that is not properly quoted"
            self.rejects.append((row, "QUOTING", problem))
        elif len(cells) < width and cut_off:
            raise self._source.error(
                "TRUNCATED",
                f"ends inside row {row}: {len(cells)} of {width} fields and no line ending",
                "ask the center to send the file again: the upload broke off",
                row=row,
            )
        elif len(cells) != width:
            problem = f"{len(cells)} fields, the header has {width}"
            self.rejects.append((row, "FIELD_COUNT", problem))
        elif has_bad_characters(text):
            problem = "holds control characters or invisible marks"
            self.rejects.append((row, "CONTROL_CHAR", problem))
        else:
            self.records.append((row, cells))

    def _long_record(self, index: int, *, last: bool, unterminated: bool) -> int:
        layout, row = self._layout, self._first + index
        quotes, size, end = 0, 0, index
        while end < len(self._lines):
            quotes += self._lines[end].count(layout.quote)
            size += len(self._lines[end]) + 1
            end += 1
            if quotes % 2 == 0 or size > self._limits.record_bytes:
                break
        if quotes % 2 or size > self._limits.record_bytes:
            if last or size > self._limits.record_bytes:
                raise self._unclosed(row)
            self.is_open, self.open_from = True, index
            self.swallowed.extend(range(index, len(self._lines)))
            return len(self._lines)
        text = self._strip(layout.separator.join(self._lines[index:end]))
        cells = split_record(text, layout.delimiter, layout.quote)
        inner = any(self._good[index + 1 : end - 1]) and layout.width > 2
        if isinstance(cells, str) or inner:
            raise self._unclosed(row)
        self._check_ending(index, end, unterminated)
        self.swallowed.extend(range(index, end))
        at_end = last and unterminated and end == len(self._lines)
        self._judge(row, text, cells, cut_off=at_end)
        return end

    def _unclosed(self, row: int) -> Exception:
        return self._source.error(
            "QUOTING",
            f"a quote that opens in row {row} is not closed where a cell could end; "
            "the rows after it cannot be told apart",
            "ask the center to export again with every quote inside a text doubled",
            row=row,
        )

    def _strip(self, text: str) -> str:
        return text.removesuffix("\r") if self._layout.terminator == "\r\n" else text

    def _check_ending(self, first: int, after: int, unterminated: bool) -> None:
        """LINE_ENDING if the record of these lines ends otherwise than the first one of the file."""
        layout = self._layout
        text = layout.separator.join(self._lines[first:after])
        added = unterminated and after == len(self._lines)
        wrong = layout.terminator == "\r\n" and not added and not text.endswith("\r")
        quote = re.escape(layout.quote)
        outside = re.sub(f"{quote}[^{quote}]*{quote}", "", self._strip(text))
        if wrong or "\r" in outside or "\n" in outside:
            row = self._first + first
            raise self._source.error(
                "LINE_ENDING",
                f"mixes line endings (row {row} ends otherwise than row 1): "
                "parts of different exports",
                "ask the center to export again; do not paste files together",
                row=row,
            )


def _is_blank(cells: list[str]) -> bool:
    return not any(cell.strip() for cell in cells)
