"""Parquet files as text cells, row group by row group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from transforms.read.cells import rejects_frame, split_bad_characters
from transforms.read.child import Child
from transforms.read.csv_reader import no_rows
from transforms.read.headers import checked_names
from transforms.read.source import Source
from transforms.read.tables import ColumnInfo, Limits, ReadOptions, TableInfo, TableReader
from transforms.read.workbooks import local_copy


def is_parquet(head: bytes) -> bool:
    """Whether the bytes begin a Parquet file."""
    return head.startswith(b"PAR1")


_NESTED = 100_000_000  # bytes of nested values in one part; as JSON they take several times that


class ParquetReader(TableReader):
    """Rows are counted from 1; dates are ISO text, numbers the shortest text, nested values JSON."""

    def __init__(self, source: Source, info: TableInfo, options: ReadOptions) -> None:
        self.info, self._source, self._options = info, source, options
        self._rejects: list[tuple[int, str, str]] = []
        self._bytes = 0  # what the table would take as CSV, as far as it was read

    def batches(self) -> Iterator[pl.DataFrame]:
        """See `TableReader.batches`."""
        self._rejects, self.n_blank, self._bytes = [], 0, 0
        size = self._options.batch_rows
        at, any_row = 0, False
        try:
            with self._source.open() as file:
                scan = pl.scan_parquet(file.read() if self._source.member else file)
                for batch in scan.collect_batches(chunk_size=size, maintain_order=True):
                    for part in batch.iter_slices(size):
                        frame = self._cells(part, at)
                        at += part.height
                        any_row = any_row or frame.height > 0
                        if frame.height:
                            yield frame
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            raise damaged(self._source) from None
        self._source.check_unchanged()
        if not any_row and not self._rejects and not self._options.may_be_empty:
            raise no_rows(self._source)

    def rejects(self) -> pl.DataFrame:
        """See `TableReader.rejects`."""
        return rejects_frame(self._rejects)

    def _cells(self, part: pl.DataFrame, done: int) -> pl.DataFrame:
        for name in part.columns:
            if part.schema[name].is_nested() and _leaf_bytes(part[name]) > _NESTED:
                raise self._too_large()
        rows = pl.int_range(done + 1, done + 1 + part.height, dtype=pl.Int32, eager=True)
        frame = part.select(as_text(part[name]) for name in part.columns)
        self._check_size(frame)
        frame.columns = self.info.names
        frame = frame.insert_column(0, rows.alias("_row"))
        body = frame.filter(pl.any_horizontal(pl.exclude("_row").is_not_null()))
        self.n_blank += frame.height - body.height
        body, rejects = split_bad_characters(body)
        self._rejects += rejects
        return body

    def _check_size(self, frame: pl.DataFrame) -> None:
        lengths = frame.select(pl.all().str.len_bytes().sum()).sum_horizontal()
        self._bytes += int(lengths[0] or 0) + frame.height * frame.width
        limits = self._options.limits
        if self._bytes > max(limits.unpacked_bytes, limits.ratio * self._source.size):
            raise self._too_large()

    def _too_large(self) -> Exception:
        return self._source.error(
            "TOO_LARGE",
            f"would unpack from {self._source.size:,} bytes to more than "
            f"{self._options.limits.ratio} times that",
            "send only the columns and rows of the study, or send them as CSV",
        )


def _leaf_bytes(column: pl.Series) -> int:
    """About the bytes of all values inside a nested column; nothing is copied."""
    kind = column.dtype
    if isinstance(kind, (pl.List, pl.Array)):
        inner = column.explode()
        return _leaf_bytes(inner) + 2 * len(inner)
    if isinstance(kind, pl.Struct):
        return sum(_leaf_bytes(field) for field in column.struct.unnest())
    if kind == pl.String:
        return int(column.str.len_bytes().sum() or 0)
    return 8 * len(column)


def as_text(column: pl.Series) -> pl.Series:
    """A typed column as cells."""
    kind = column.dtype
    if kind == pl.String or isinstance(kind, (pl.Categorical, pl.Enum)):
        text = column.cast(pl.String)
        return text.set(text == "", None)
    if kind == pl.Boolean:
        return column.replace_strict({True: "TRUE", False: "FALSE"}, return_dtype=pl.String)
    if isinstance(kind, pl.Datetime):
        text = column.dt.to_string("iso:strict")
        return text.str.replace(r"T00:00:00(\.0+)?$", "").str.replace(r"\.0+$", "")
    if kind.is_float():
        return column.fill_nan(None).cast(pl.String).str.replace(r"\.0$", "")
    if kind.is_nested():
        # {"x": value} without its frame
        wrapped = pl.DataFrame({"x": column}).select(pl.struct("x").struct.json_encode())
        return wrapped.to_series().str.slice(5).str.head(-1).replace("null", None)
    return column.cast(pl.String)


def open_parquet(source: Source, options: ReadOptions) -> list[TableReader]:
    """One reader; the file is read in batches.

    Raises:
        FileError: CORRUPT, DUPLICATE_COLUMN, TOO_LARGE, TOO_MANY_COLUMNS.
    """
    if source.member and source.size > options.limits.unpacked_bytes:
        raise source.error(
            "TOO_LARGE",
            "is too large for a zip",
            "send the Parquet file itself; it is packed already",
        )
    _try(source, options.limits)
    try:
        with source.open() as file:
            schema = pl.read_parquet_schema(file.read() if source.member else file)
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
        ValueError,
    ):
        raise damaged(source) from None
    names = checked_names(source, list(schema), options.limits.columns)
    info = TableInfo(
        file=source.name,
        sheet=None,
        kind="parquet",
        encoding="utf-8",
        delimiter=None,
        decimal=".",
        date_system=None,
        sha256=options.sha256 or source.sha256(),
        columns=tuple(ColumnInfo(name, at) for at, name in enumerate(names, 1)),
    )
    return [ParquetReader(source, info, options)]


def _try(source: Source, limits: Limits) -> None:
    """Decodes the file in a process of its own first. Raises FileError if that does not end well."""
    allowed = replace(limits, child_seconds=limits.child_seconds + source.size // 1_000_000)
    child = Child()  # not the one of workbooks: Polars reserves more than they may use
    try:
        with local_copy(source) as path:
            list(child.ask(source, path, "parquet", allowed))
    finally:
        child.stop()


def damaged(source: Source) -> Exception:
    """The FileError for a Parquet file that cannot be read."""
    return source.error("CORRUPT", "is damaged or not Parquet", "ask the center to export it again")
