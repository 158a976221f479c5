"""Blocks of lines to cells: by Polars where a proof allows it, else line by line, always exact.

A block goes to Polars whole only if a full match proves that every physical line is one record with
exactly the header's number of fields and proper quoting. Otherwise the lines that are such records
still go to Polars, and the others are looked at one by one: records over several lines, rejects, and
faults that make the rest of the file doubtful (a quote that is never closed), which stop it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from transforms.read.cells import BAD_CHARACTERS, as_cells
from transforms.read.csv_layout import SUSPECT_LEADS, Layout, split_record
from transforms.read.csv_walk import Walk
from transforms.read.source import Source
from transforms.read.tables import Limits


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

    def __init__(self, source: Source, layout: Layout, limits: Limits) -> None:
        self._source = source
        self._layout = layout
        self._limits = limits

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
        if layout.quote.encode() in block and layout.has_pattern:
            text = pl.Series([block], dtype=pl.Binary).cast(pl.String)
            if text.str.contains(layout.plain_pattern)[0]:
                return block.count(layout.separator.encode()), True
            if block.isascii():
                return None
        left = block.translate(None, layout.deleted)
        structure = layout.structure
        n_lines = len(left) // len(structure)
        if left == structure * n_lines and self._ends_stand_together(block, n_lines):
            return n_lines, False
        suspects = left.translate(None, layout.structural)
        if suspects and suspects.translate(None, SUSPECT_LEADS):
            return None
        text = pl.Series([block], dtype=pl.Binary).cast(pl.String)
        if suspects and text.str.contains(BAD_CHARACTERS)[0]:
            return None
        if layout.quote.encode() in left:
            if not layout.has_pattern:
                return None
            good = bool(text.str.contains(layout.block_pattern)[0])
            return (left.count(layout.separator.encode()), True) if good else None
        left = left.translate(None, SUSPECT_LEADS)
        n_lines = len(left) // len(structure)
        good = left == structure * n_lines and self._ends_stand_together(block, n_lines)
        return (n_lines, False) if good else None

    def _ends_stand_together(self, block: bytes, n_lines: int) -> bool:
        """Whether nothing stands between CR and LF, which the structure alone does not show."""
        return self._layout.terminator != "\r\n" or block.count(b"\r\n") == n_lines

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
        if self._layout.has_pattern:
            good = column.str.contains(f"^{self._layout.record_pattern}$")
            good = good & ~column.str.contains(BAD_CHARACTERS)
        else:
            good = pl.repeat(False, len(lines), eager=True)
        walk = Walk(self._source, self._layout, lines, good, first_line, self._limits)
        walk.run(last=last, unterminated=unterminated)
        kept = good.to_frame("good").with_row_index("at").filter(pl.col("good"))["at"]
        if walk.swallowed:
            kept = kept.filter(~kept.is_in(pl.Series(walk.swallowed, dtype=kept.dtype).implode()))
        texts = column.gather(kept).to_list()
        if self._layout.terminator == "\r\n":
            texts = [text.removesuffix("\r") for text in texts]
        frame = self._lines_frame(texts, (kept.cast(pl.Int32) + first_line).alias("_row"))
        records = walk.frame()
        if records.height:
            frame = pl.concat([frame, records]).sort("_row")
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
