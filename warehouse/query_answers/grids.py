"""A returned file as bare rows of cells: sheets of a workbook or one CSV, read by the project's readers.

Nothing is taken for a header here: people put rows above it, sort it into the middle or copy it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from schemas.errors import FileError
from transforms.read import ReadOptions, TableReader
from transforms.read.opening import open_tables
from transforms.read.registry import kind_of
from transforms.read.source import Source, source_of

_LARGEST = 100_000_000  # bytes
_WORKBOOKS = ("xlsx", "xls", "ods")
_WESTERN = "cp1252"
_ALL_ROWS = (0,)  # the header stands above the first row: every row is a row of cells


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet.

    Attributes:
        file: Name of the file.
        sheet: Name of the sheet; None for a CSV.
        rows: `_row` (Int32, 1-based) and String columns named by their place: `1`, `2`, ...
        rejects: `_row, code, problem`: rows that cannot be cells.
        merged: Merged ranges: top, left, bottom, right (1-based, inclusive).
        date_system: 1900 or 1904: base of day numbers.
        notes: What the reader remarked.
    """

    file: str
    sheet: str | None
    rows: pl.DataFrame
    rejects: pl.DataFrame
    merged: tuple[tuple[int, int, int, int], ...]
    date_system: int
    notes: tuple[str, ...]

    @property
    def cells(self) -> list[str]:
        """Names of the columns of cells."""
        return self.rows.columns[1:]


def read_grids(path: Path) -> tuple[list[Grid], str, list[FileError]]:
    """The sheets of a file, the SHA-256 of its bytes, and the sheets that cannot be read.

    Raises:
        FileError: The file cannot be read, or is of a kind in which no answers come back.
    """
    source = source_of(path)
    kind = kind_of(source, ReadOptions()).name
    if kind not in (*_WORKBOOKS, "csv"):
        raise source.error(
            "WRONG_TYPE", f"is a file of kind {kind}; a workbook or its CSV is expected"
        )
    if source.size > _LARGEST:
        raise source.error(
            "TOO_LARGE", f"is larger than {_LARGEST:,} bytes; no workbook of queries is"
        )
    sha256 = source.sha256()
    options = ReadOptions(
        header_rows=_ALL_ROWS if kind in _WORKBOOKS else None, may_be_empty=True, sha256=sha256
    )
    grids, failures = [], []
    for table in _opened(path, options):
        try:
            grids.append(_grid(source, table, with_header=kind == "csv"))
        except FileError as error:
            failures.append(error)
    return grids, sha256, failures


def _opened(path: Path, options: ReadOptions) -> list[TableReader]:
    """The tables of a file. A CSV that is not UTF-8 is as Excel saves it in western Europe.

    Ids and titles are read alike in both, and an answer is compared as a whole: nothing is guessed.
    """
    try:
        return open_tables(path, options)
    except FileError as error:
        if error.code != "ENCODING":
            raise
        try:
            return open_tables(path, replace(options, encoding=_WESTERN))
        except FileError:
            raise error from None


def _grid(source: Source, table: TableReader, *, with_header: bool) -> Grid:
    info = table.info
    frames = list(table.batches())
    names = {column.name: str(column.position) for column in info.columns}
    schema = {"_row": pl.Int32(), **dict.fromkeys(names.values(), pl.String())}
    body = pl.concat(frames).rename(names) if frames else pl.DataFrame(schema=schema)
    if with_header:  # the titles of a CSV are a row like the others
        first = [1, *(column.name for column in info.columns)]
        header = pl.DataFrame([first], schema=schema, orient="row")
        body = pl.concat([header, body.select(schema.keys())])
    source.check_unchanged()
    return Grid(
        info.file,
        info.sheet,
        body,
        table.rejects(),
        info.merged,
        info.date_system or 1900,
        info.notes,
    )
