"""Blocks of lines to cells: by Polars where a proof allows it, else line by line, always exact.

A block goes to Polars whole only if a full match proves that every physical line is one record with
exactly the header's number of fields and proper quoting. Otherwise the lines that are such records
still go to Polars, and the others are looked at one by one: records over several lines, rejects, and
faults that make the rest of the file doubtful (a quote that is never closed), which stop it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from transforms.read.cells import BAD_CHARACTERS, as_cells, rejects_frame
from transforms.read.source import Source

_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r") + b"\x7f"
_NEVER = "\\x00-\\x08\\x0A-\\x1F\\x7F"  # controls but tab, for the class of a Rust pattern
# First bytes of UTF-8 characters outside Latin letters: only those can be marks that do harm.
_SUSPECT_LEADS = bytes(b for b in range(0xC2, 0xF5) if b not in (0xC3, 0xC4, 0xC5))


@dataclass(frozen=True)
class Layout:
    """How lines become cells. `terminator` is one of LF, CRLF, CR."""

    delimiter: str
    quote: str
    terminator: str
    names: tuple[str, ...]

    @property
    def width(self) -> int:
        """Number of fields of a record."""
        return len(self.names)

    @property
    def separator(self) -> str:
        """What physical lines are split at."""
        return "\r" if self.terminator == "\r" else "\n"

    @cached_property
    def record_pattern(self) -> str:
        """Rust regular expression of one good record without its line separator."""
        d, q = (f"\\x{{{ord(mark):X}}}" for mark in (self.delimiter, self.quote))
        cell = f"(?:{q}(?:[^{q}{_NEVER}]|{q}{q})*{q}|[^{d}{q}{_NEVER}]*)"
        more = f"(?:{d}{cell}){{{self.width - 1}}}" if self.width > 1 else ""
        return cell + more + ("\\r" if self.terminator == "\r\n" else "")

    @cached_property
    def block_pattern(self) -> str:
        """The same for a whole block."""
        end = "\\r" if self.terminator == "\r" else "\\n"
        return f"^(?:{self.record_pattern}{end})*$"

    @cached_property
    def structure(self) -> bytes:
        """What is left of a record without quotes when all but the structural bytes is deleted."""
        return (self.delimiter * (self.width - 1) + self.terminator).encode()

    @cached_property
    def deleted(self) -> bytes:
        """The bytes that are neither structure nor suspect."""
        kept = self.structural + _CONTROLS + _SUSPECT_LEADS
        return bytes(b for b in range(256) if b not in kept)

    @cached_property
    def structural(self) -> bytes:
        """Delimiter, quote and both newline bytes."""
        return (self.delimiter + self.quote + "\r\n").encode()


@dataclass(slots=True)
class Parsed:
    """What the first `n_lines` lines of a block held.

    `rest` are the lines of a record that goes on in the next block.
    """

    frame: pl.DataFrame
    n_lines: int
    rejects: list[tuple[int, str, str]] = field(default_factory=list)
    n_blank: int = 0
    rest: bytes = b""


class RecordParser:
    """Turns blocks of whole physical lines into frames."""

    def __init__(self, source: Source, layout: Layout, record_bytes: int) -> None:
        self._source = source
        self._layout = layout
        self._record_bytes = record_bytes
        self._quoted = False  # a block before held quotes: this one is likely to, too

    def parse(self, block: bytes, first_line: int, *, last: bool, unterminated: bool) -> Parsed:
        """Cells of one block.

        Args:
            block: Whole lines in UTF-8, each with its line ending.
            first_line: Physical line number of its first line.
            last: No block follows.
            unterminated: The very last line had no line ending of its own.

        Raises:
            FileError: QUOTING, TRUNCATED or LINE_ENDING.
        """
        proof = self._proof(block)
        if proof is not None:
            n_lines, quoted = proof
            frame = self._by_polars(block, quoted=quoted)
            if frame.height == n_lines:
                rows = pl.int_range(first_line, first_line + n_lines, dtype=pl.Int32, eager=True)
                frame = frame.insert_column(0, rows.alias("_row"))
                frame, blank = as_cells(frame, empty_text=quoted)
                return Parsed(frame, n_lines, n_blank=blank)
        return self._by_lines(block, first_line, last=last, unterminated=unterminated)

    def _proof(self, block: bytes) -> tuple[int, bool] | None:
        """Number of lines and whether any cell is quoted, if each line is one good record."""
        layout = self._layout
        if self._quoted and block.isascii():
            text = pl.Series([block], dtype=pl.Binary).cast(pl.String)
            good = bool(text.str.contains(layout.block_pattern)[0])
            return (block.count(layout.separator.encode()), True) if good else None
        left = block.translate(None, layout.deleted)
        structure = layout.structure
        n_lines = len(left) // len(structure)
        if left == structure * n_lines:
            return n_lines, False
        suspects = left.translate(None, layout.structural)
        if suspects and suspects.translate(None, _SUSPECT_LEADS):
            return None
        text = pl.Series([block], dtype=pl.Binary).cast(pl.String)
        if suspects and text.str.contains(BAD_CHARACTERS)[0]:
            return None
        if layout.quote.encode() in left:
            self._quoted = True
            good = bool(text.str.contains(layout.block_pattern)[0])
            return (left.count(layout.separator.encode()), True) if good else None
        left = left.translate(None, _SUSPECT_LEADS)
        n_lines = len(left) // len(structure)
        return (n_lines, False) if left == structure * n_lines else None

    def _by_polars(self, block: bytes, *, quoted: bool) -> pl.DataFrame:
        layout = self._layout
        if layout.terminator == "\r":
            block = block.replace(b"\r", b"\n")
        return pl.read_csv(
            block,
            has_header=False,
            separator=layout.delimiter,
            quote_char=layout.quote if quoted else None,
            schema=dict.fromkeys(layout.names, pl.String()),
            infer_schema=False,
            truncate_ragged_lines=False,
        )

    def _by_lines(self, block: bytes, first_line: int, *, last: bool, unterminated: bool) -> Parsed:
        lines = block.decode("utf-8").split(self._layout.separator)
        lines.pop()  # what follows the last separator: nothing
        column = pl.Series("line", lines, dtype=pl.String)
        good = column.str.contains(f"^{self._layout.record_pattern}$")
        good = good & ~column.str.contains(BAD_CHARACTERS)
        walk = _Walk(self._source, self._layout, lines, good, first_line, self._record_bytes)
        walk.run(last=last, unterminated=unterminated)
        kept = good.to_frame("good").with_row_index("at").filter(pl.col("good"))["at"]
        if walk.swallowed:
            kept = kept.filter(~kept.is_in(pl.Series(walk.swallowed, dtype=kept.dtype).implode()))
        texts = column.gather(kept).to_list()
        if self._layout.terminator == "\r\n":
            texts = [text.removesuffix("\r") for text in texts]
        frame = self._lines_frame(texts, (kept.cast(pl.Int32) + first_line).alias("_row"))
        if walk.records:
            frame = pl.concat([frame, walk.frame()]).sort("_row")
        frame, blank = as_cells(frame, empty_text=True)
        rest = b""
        if walk.is_open:
            rest = self._layout.separator.join([*lines[walk.open_from :], ""]).encode()
        return Parsed(frame, walk.open_from, walk.rejects, walk.n_blank + blank, rest)

    def _lines_frame(self, texts: list[str], rows: pl.Series) -> pl.DataFrame:
        names = self._layout.names
        schema = {"_row": pl.Int32(), **dict.fromkeys(names, pl.String())}
        if not texts:
            return pl.DataFrame(schema=schema)
        separator = self._layout.separator
        frame = self._by_polars((separator.join(texts) + separator).encode(), quoted=True)
        if frame.height != len(texts):  # Polars saw other lines than we do: take ours
            cells = [
                split_record(text, self._layout.delimiter, self._layout.quote) for text in texts
            ]
            frame = pl.DataFrame(
                [cell if isinstance(cell, list) else [None] * len(names) for cell in cells],
                schema=dict.fromkeys(names, pl.String()),
                orient="row",
            )
        return frame.insert_column(0, rows)


OPEN = "open"
BAD = "bad"


def split_record(text: str, delimiter: str, quote: str) -> list[str] | str:
    """Fields of one record; OPEN if a quote is not closed in it, BAD if a quote stands wrong."""
    fields: list[str] = []
    at, end = 0, len(text)
    while True:
        if text.startswith(quote, at):
            close = at + 1
            while True:
                close = text.find(quote, close)
                if close < 0:
                    return OPEN
                if not text.startswith(quote, close + 1):
                    break
                close += 2
            fields.append(text[at + 1 : close].replace(quote * 2, quote))
            at = close + 1
            if at < end and text[at] != delimiter:
                return BAD
        else:
            stop = text.find(delimiter, at)
            stop = end if stop < 0 else stop
            cell = text[at:stop]
            if quote in cell:
                return BAD
            fields.append(cell)
            at = stop
        if at >= end:
            return fields
        at += 1


class _Walk:
    """Looks at the lines of a block that are not plainly good, in order."""

    def __init__(
        self,
        source: Source,
        layout: Layout,
        lines: list[str],
        good: pl.Series,
        first_line: int,
        record_bytes: int,
    ) -> None:
        self._source, self._layout, self._lines = source, layout, lines
        self._good, self._first, self._limit = good.to_list(), first_line, record_bytes
        self.records: list[tuple[int, list[str]]] = []
        self.rejects: list[tuple[int, str, str]] = []
        self.swallowed: list[int] = []  # indexes of good-looking lines inside a longer record
        self.n_blank = 0
        self.is_open = False
        self.open_from = len(lines)

    def run(self, *, last: bool, unterminated: bool) -> None:
        after = 0
        for index, good in enumerate(self._good):
            if good or index < after:
                continue
            after = self._record(index, last=last, unterminated=unterminated)
            if self.is_open:
                break

    def frame(self) -> pl.DataFrame:
        rows = [[row, *cells] for row, cells in self.records]
        schema = {"_row": pl.Int32(), **dict.fromkeys(self._layout.names, pl.String())}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _record(self, index: int, *, last: bool, unterminated: bool) -> int:
        """Judges the record that begins at `index`; gives the index after it."""
        layout, row = self._layout, self._first + index
        text = self._strip(self._lines[index])
        cells = split_record(text, layout.delimiter, layout.quote)
        if cells == OPEN:
            return self._long_record(index, last=last, unterminated=unterminated)
        self._check_ending(index, index + 1, unterminated)
        if isinstance(cells, list) and _is_blank(cells) and not _bad_characters(text):
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
        elif _bad_characters(text):
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
            if quotes % 2 == 0 or size > self._limit:
                break
        if quotes % 2 or size > self._limit:
            if last or size > self._limit:
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
        outside = re.sub(f"{layout.quote}[^{layout.quote}]*{layout.quote}", "", self._strip(text))
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


def _bad_characters(text: str) -> bool:
    return bool(pl.Series([text], dtype=pl.String).str.contains(BAD_CHARACTERS)[0])


def empty_rejects() -> pl.DataFrame:
    """A rejects frame without rows."""
    return rejects_frame([])
