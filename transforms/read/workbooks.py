"""Excel and OpenDocument workbooks: the child's cells become tables with headers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import FileError
from transforms.read.cells import as_cells, rejects_frame, split_bad_characters
from transforms.read.child import CHILD
from transforms.read.columns import columns_of
from transforms.read.csv_reader import no_rows
from transforms.read.guard import check_archive
from transforms.read.headers import join_header_rows
from transforms.read.source import Source
from transforms.read.tables import ColumnInfo, FrameReader, ReadOptions, TableInfo, TableReader


@dataclass(slots=True)
class _Sheet:
    """One sheet as the child sends it."""

    name: str
    frames: list[pl.DataFrame] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


class FailedReader(TableReader):
    """A sheet that cannot be a table, in a workbook with others: fails only if it is used."""

    def __init__(self, info: TableInfo, error: FileError) -> None:
        self.info, self._error = info, error

    def batches(self) -> Iterator[pl.DataFrame]:
        """Raises what is wrong with the sheet."""
        raise self._error

    def rejects(self) -> pl.DataFrame:
        """No rows."""
        return rejects_frame([])


def open_workbook(source: Source, options: ReadOptions, kind: str) -> list[TableReader]:
    """One reader per sheet that holds anything, hidden ones too; of one sheet if it is declared.

    In a workbook of several sheets, a sheet that cannot be a table (a legend with merged cells) does
    not stop the others: its reader has no columns, says why in its notes, and fails when it is read.

    Raises:
        FileError: The workbook, or the declared sheet, cannot be read.
    """
    if kind != "xls":
        check_archive(source, options.limits, workbook=True)
    elif source.size > options.limits.unpacked_bytes:
        raise source.error("TOO_LARGE", "is larger than any .xls can be", "send it as CSV")
    with local_copy(source) as path:
        sheets = [sheet for sheet in _ask(source, path, kind, options) if sheet.frames]
    if not sheets:
        raise no_rows(source, options.sheet)
    sha256 = options.sha256 or source.sha256()
    readers: list[TableReader] = []
    failures: list[FileError] = []
    for sheet in sheets:
        try:
            readers.append(_table(source, sheet, kind, sha256, options))
        except FileError as error:
            failures.append(error)
            notes = (f"cannot be a table: {error.message}", *_notes(sheet))
            info = _info(source, sheet, kind, sha256, (), notes)
            readers.append(FailedReader(info, error))
    if len(failures) == len(readers):
        raise failures[0]
    return readers


@contextmanager
def local_copy(source: Source) -> Iterator[Path]:
    """A path that the child can open: the file itself, or a member unpacked to a private folder."""
    if source.member is None:
        yield source.path
        return
    with tempfile.TemporaryDirectory(prefix="carmony-") as folder:
        path = Path(folder) / "member"
        with source.open() as stream, path.open("wb") as file:
            while piece := stream.read(1 << 20):
                file.write(piece)
        yield path


def _ask(source: Source, path: Path, kind: str, options: ReadOptions) -> list[_Sheet]:
    sheets: list[_Sheet] = []
    cells = 0
    for answer in CHILD.ask(source, path, kind, options.limits, sheet=options.sheet):
        if "sheet" in answer:
            sheets.append(_Sheet(answer["sheet"]))
        elif "rows" in answer:
            cells += len(answer["rows"]) * len(answer["columns"])
            if cells > options.limits.book_cells:
                raise source.error(
                    "TOO_LARGE",
                    f"its sheets take more than {options.limits.book_cells:,} cells in all, "
                    "empty ones among them",
                    "send only the study's tables, large ones as CSV",
                )
            sheets[-1].frames.append(cells_frame(answer["rows"], answer["columns"]))
        else:
            sheets[-1].facts = answer
    return sheets


def cells_frame(rows: list[int], columns: list[list[str | None]]) -> pl.DataFrame:
    """A batch of the child: row numbers, then columns named 1, 2, ..."""
    cells = [pl.Series(str(at), texts, dtype=pl.String) for at, texts in enumerate(columns, 1)]
    return pl.DataFrame([pl.Series("_row", rows, dtype=pl.Int32), *cells])


def _table(
    source: Source, sheet: _Sheet, kind: str, sha256: str, options: ReadOptions
) -> TableReader:
    frame = pl.concat(sheet.frames, how="diagonal")
    rows = options.header_rows or (int(frame["_row"][0]),)
    merged = [tuple(box) for box in sheet.facts.get("merged", [])]
    upper = [_header_row(frame, row, merged) for row in rows[:-1]]
    header = join_header_rows([*upper, _header_row(frame, rows[-1], [])], fill=False)
    body = frame.filter(pl.col("_row") > rows[-1])
    kept = _filled_columns(header, body)
    body = body.select("_row", *(str(at) for at in kept))
    named = columns_of(
        source, [header[at - 1] or f"column {at}" for at in kept], options, sheet.name
    )
    columns = tuple(replace(column, position=at) for column, at in zip(named, kept, strict=True))
    body = body.rename(
        {old: column.name for old, column in zip(body.columns[1:], columns, strict=True)}
    )
    last = int(body["_row"].max() or 0) if body.height else 0  # type: ignore[arg-type]
    gaps = last - rows[-1] - body.height if body.height else 0
    body, blank = as_cells(body, empty_text=True)
    body, rejects = split_bad_characters(body)
    if not body.height and not rejects and not options.may_be_empty:
        raise no_rows(source, sheet.name)
    notes = (*_notes(sheet), *_merge_note(rows, merged))
    info = _info(source, sheet, kind, sha256, columns, notes)
    frames = [body] if body.height else []
    return FrameReader(info, frames, rejects_frame(rejects), blank + gaps, options.batch_rows)


def _header_row(frame: pl.DataFrame, row: int, merged: list[tuple[int, ...]]) -> list[str | None]:
    """Cells of a header row, with merged cells filled to the right."""
    found = frame.filter(pl.col("_row") == row)
    cells: list[str | None] = list(found.row(0)[1:]) if found.height else []
    cells += [None] * (frame.width - 1 - len(cells))
    for top, left, bottom, right in merged:
        if top <= row <= bottom and right > left and left <= len(cells) and row == top:
            for column in range(left, min(right, len(cells))):
                cells[column] = cells[left - 1]
    return cells


def _merge_note(rows: tuple[int, ...], merged: list[tuple[int, ...]]) -> tuple[str, ...]:
    wide = any(top == rows[-1] and right > left for top, left, _, right in merged)
    if not wide:
        return ()
    return (
        f"header row {rows[-1]} has merged cells: if the header goes on below, "
        "declare its rows ('header_rows' in the spec)",
    )


def _filled_columns(header: list[str], body: pl.DataFrame) -> list[int]:
    """Sheet columns (1-based) of the table: those that have a header or a cell."""
    return [
        at
        for at, name in enumerate(header, 1)
        if name or (body.height and body[str(at)].null_count() < body.height)
    ]


def _notes(sheet: _Sheet) -> tuple[str, ...]:
    hidden = ("the sheet is hidden, read like the others",) if sheet.facts.get("hidden") else ()
    return (*hidden, *sheet.facts.get("notes", ()))


def _info(
    source: Source,
    sheet: _Sheet,
    kind: str,
    sha256: str,
    columns: tuple[ColumnInfo, ...],
    notes: tuple[str, ...],
) -> TableInfo:
    return TableInfo(
        file=source.name,
        sheet=sheet.name,
        kind=kind,
        encoding=None,
        delimiter=None,
        decimal=None,
        date_system=sheet.facts.get("date_system"),
        sha256=sha256,
        columns=columns,
        notes=notes,
        merged=tuple(
            (top, left, bottom, right) for top, left, bottom, right in sheet.facts.get("merged", [])
        ),
    )
