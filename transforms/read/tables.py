"""What the readers give: cells as text, with where they stood and what the file says of its columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

REJECT_COLUMNS = ("_row", "code", "problem")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may ask for before it is refused. Sizes in bytes, times in seconds."""

    columns: int = 5_000
    eager_bytes: int = 8_000_000  # CSV up to this size is read whole when it is opened
    block_bytes: int = 16_000_000  # CSV is read in blocks of about this size
    record_bytes: int = 1_000_000  # one record, with all its quoted lines
    unpacked_bytes: int = 250_000_000  # one member of a workbook
    archive_bytes: int = 20_000_000_000  # all members of a zip of files
    ratio: int = 100  # unpacked size by packed size, where more than 10 MB come out
    members: int = 2_000
    cells: int = 5_000_000  # of one sheet
    book_cells: int = 20_000_000  # of all sheets of a workbook, empty cells among them
    packed_rows: int = 250_000  # of a Parquet file: above, a row must take a byte at least
    rejects: int = 200_000  # rows of a text file that are no rows: above, the file is another kind
    child_memory: int = 1_000_000_000
    child_seconds: int = 60


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the center's spec declares about a file. What is None is detected and reported."""

    kind: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    decimal: str | None = None
    sheet: str | None = None
    member: str | None = None
    header_rows: tuple[int, ...] | None = None
    dictionary: Path | None = None
    password: str | None = None
    batch_rows: int = 250_000
    limits: Limits = field(default_factory=Limits)
    sha256: str | None = None  # of the file, if the caller has it; saves one pass over the bytes
    may_be_empty: bool = False  # a header without rows is a table of no rows, and no fault


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column: its header, its place (1-based; in a workbook that of the sheet), and its codes."""

    name: str
    position: int
    label: str | None = None
    value_labels: dict[str, str] = field(default_factory=dict)
    missing_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One sheet or file as it was understood.

    `file` is the name of the file; inside a zip `outer.zip/inner.csv`. `notes` are sentences for the
    data manager (hidden rows, formulas, merged headers); they hold no values.
    """

    file: str
    sheet: str | None
    kind: str
    encoding: str | None
    delimiter: str | None
    decimal: str | None
    date_system: int | None
    sha256: str
    columns: tuple[ColumnInfo, ...]
    notes: tuple[str, ...] = ()
    merged: tuple[tuple[int, int, int, int], ...] = ()  # of a sheet: top, left, bottom, right

    @property
    def names(self) -> list[str]:
        """The headers in order."""
        return [column.name for column in self.columns]


class TableReader(ABC):
    """One table of a file. Read `batches()` to the end before `rejects()` and `n_blank`."""

    info: TableInfo
    n_blank: int = 0

    @abstractmethod
    def batches(self) -> Iterator[pl.DataFrame]:
        """Frames of at most `batch_rows` rows: `_row` (Int32) and one String column per header.

        Raises:
            FileError: Something that only shows while a large file is read (encoding, quoting).
        """

    @abstractmethod
    def rejects(self) -> pl.DataFrame:
        """Rows that cannot be cells: `_row` (Int32), `code`, `problem` (no values in it)."""


class FrameReader(TableReader):
    """A table that was read whole when it was opened."""

    def __init__(
        self,
        info: TableInfo,
        frames: list[pl.DataFrame],
        rejects: pl.DataFrame,
        n_blank: int,
        batch_rows: int,
    ) -> None:
        self.info = info
        self.n_blank = n_blank
        self._frames = frames
        self._rejects = rejects
        self._batch_rows = batch_rows

    def batches(self) -> Iterator[pl.DataFrame]:
        """See `TableReader.batches`."""
        for frame in self._frames:
            yield from frame.iter_slices(self._batch_rows)

    def rejects(self) -> pl.DataFrame:
        """See `TableReader.rejects`."""
        return self._rejects
