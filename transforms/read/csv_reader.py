"""CSV of any dialect: `open_csv`."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO

import polars as pl

from transforms.read.cells import check_rejects, rejects_frame
from transforms.read.columns import columns_of
from transforms.read.csv_blocks import BlockReader
from transforms.read.csv_dialect import Dialect, find_dialect
from transforms.read.csv_layout import Layout
from transforms.read.csv_records import RecordParser
from transforms.read.encodings import decoding_error, find_encoding
from transforms.read.source import Source
from transforms.read.tables import FrameReader, ReadOptions, TableInfo, TableReader

HEAD_BYTES = 1_000_000


class CsvReader(TableReader):
    """A CSV file that is read block by block, as often as `batches()` is called."""

    def __init__(
        self,
        source: Source,
        info: TableInfo,
        dialect: Dialect,
        mark: int,
        options: ReadOptions,
    ) -> None:
        self.info = info
        self._source, self._dialect, self._mark, self._options = source, dialect, mark, options
        self._rejects: list[tuple[int, str, str]] = []

    def batches(self) -> Iterator[pl.DataFrame]:
        """See `TableReader.batches`."""
        self._rejects, self.n_blank = [], 0
        any_row = False
        with ExitStack() as stack:
            stream: IO[bytes] = stack.enter_context(self._source.open())
            for frame in self._frames(stream):
                any_row = any_row or frame.height > 0
                yield from frame.iter_slices(self._options.batch_rows)
        self._source.check_unchanged()
        if not any_row and not self._rejects and not self._options.may_be_empty:
            raise no_rows(self._source)

    def rejects(self) -> pl.DataFrame:
        """See `TableReader.rejects`."""
        return rejects_frame(self._rejects)

    def _frames(self, stream: IO[bytes]) -> Iterator[pl.DataFrame]:
        dialect, limits = self._dialect, self._options.limits
        layout = Layout(
            dialect.delimiter, dialect.quote, dialect.terminator, tuple(self.info.names)
        )
        stream.read(self._mark)
        blocks = BlockReader(
            self._source,
            stream,
            self.info.encoding or "utf-8",
            layout.separator.encode(),
            limits.block_bytes,
        )
        parser = RecordParser(self._source, layout, limits)
        line, skip = 1, dialect.data_line - 1
        while (block := blocks.next()) or not blocks.at_end:
            if skip:
                block, dropped = _drop_lines(block, layout.separator.encode(), skip)
                skip, line = skip - dropped, line + dropped
            parsed = parser.parse(block, line, last=blocks.at_end, unterminated=blocks.unterminated)
            self._rejects += parsed.rejects
            check_rejects(self._source, self._rejects, limits.rejects)
            self.n_blank += parsed.n_blank
            line += parsed.n_lines
            blocks.line = line
            if parsed.rest:
                blocks.push_back(parsed.rest)
            if parsed.frame.height:
                yield parsed.frame


def _drop_lines(block: bytes, separator: bytes, count: int) -> tuple[bytes, int]:
    """The block without its first `count` lines, and how many it really had of them."""
    at = 0
    for dropped in range(count):
        end = block.find(separator, at)
        if end < 0:
            return b"", dropped
        at = end + 1
    return block[at:], count


def no_rows(source: Source, sheet: str | None = None) -> Exception:
    """The FileError for a table without data rows."""
    return source.error(
        "NO_ROWS",
        "has a header but no rows",
        "export again with the patients' rows; an empty export never replaces what was loaded",
        sheet=sheet,
    )


def open_csv(source: Source, options: ReadOptions) -> list[TableReader]:
    """One reader of the file; small files are read whole at once, so that all their faults show here.

    Raises:
        FileError: ENCODING, QUOTING, TRUNCATED, LINE_ENDING, DUPLICATE_COLUMN, TOO_MANY_COLUMNS,
            NO_ROWS. For files above `Limits.eager_bytes` faults far down are raised by `batches()`.
    """
    head = source.head(HEAD_BYTES)
    whole = len(head) < HEAD_BYTES
    encoding, mark = find_encoding(source, head, options.encoding)
    text = _decode_head(source, head[mark:], encoding, whole=whole)
    dialect = find_dialect(source, text, options, whole=whole)
    info = TableInfo(
        file=source.name,
        sheet=None,
        kind="csv",
        encoding=encoding,
        delimiter=dialect.delimiter,
        decimal=options.decimal or dialect.decimal,
        date_system=None,
        sha256=options.sha256 or source.sha256(),
        columns=columns_of(source, dialect.header, options),
        notes=dialect.notes,
    )
    reader = CsvReader(source, info, dialect, mark, options)
    if source.size > options.limits.eager_bytes:
        return [reader]
    frames = list(reader.batches())
    return [FrameReader(info, frames, reader.rejects(), reader.n_blank, options.batch_rows)]


def _decode_head(source: Source, head: bytes, encoding: str, *, whole: bool) -> str:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head, final=False)
    except UnicodeDecodeError as error:
        line = head[: error.start].count(b"\n") + 1
        raise decoding_error(source, encoding, head, line) from None
