"""SPSS, SAS and Stata files: the child's columns become one table with labels and missing codes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from transforms.read.cells import rejects_frame, split_bad_characters
from transforms.read.child import CHILD
from transforms.read.csv_reader import no_rows
from transforms.read.headers import checked_names
from transforms.read.source import Source
from transforms.read.tables import ColumnInfo, FrameReader, ReadOptions, TableInfo, TableReader
from transforms.read.workbooks import cells_frame, local_copy

_SAS7BDAT = bytes.fromhex("000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011")
_XPT_LIBRARY = b"HEADER RECORD*******LIB"
_XPT_MEMBER = b"HEADER RECORD*******MEM"
_CARD = 80


def is_sav(head: bytes) -> bool:
    """SPSS .sav or .zsav."""
    return head.startswith((b"$FL2", b"$FL3"))


def is_sas7bdat(head: bytes) -> bool:
    """SAS data set."""
    return head.startswith(_SAS7BDAT)


def is_xpt(head: bytes) -> bool:
    """SAS transport file, version 5 or 8."""
    return head.startswith(_XPT_LIBRARY)


def is_dta(head: bytes) -> bool:
    """Stata file of any version."""
    return head.startswith(b"<stata_dta>") or (
        head[:1] in b"\x69\x6c\x6e\x6f\x71\x72\x73" and head[1:2] in b"\x01\x02"
    )


def open_sav(source: Source, options: ReadOptions) -> list[TableReader]:
    """SPSS: codes as text, declared missing codes kept, labels in the column info."""
    return [_open(source, options, "sav")]


def open_sas7bdat(source: Source, options: ReadOptions) -> list[TableReader]:
    """SAS data set."""
    return [_open(source, options, "sas7bdat")]


def open_dta(source: Source, options: ReadOptions) -> list[TableReader]:
    """Stata."""
    return [_open(source, options, "dta")]


def open_xpt(source: Source, options: ReadOptions) -> list[TableReader]:
    """SAS transport: one reader per data set; its name is the sheet where the file holds several.

    Raises:
        FileError: TRUNCATED, MISSING_SHEET, or what the parser refuses.
    """
    if source.size % _CARD:
        raise source.error(
            "TRUNCATED",
            f"its size is no multiple of {_CARD} bytes",
            "ask the center to send the file again: the upload broke off",
        )
    members = _xpt_members(source)
    if len(members) < 2:
        return [_open(source, options, "xpt")]
    readers = []
    for member in members:
        with _xpt_part(source, member) as path:
            reader = _open(source, options, "xpt", path=path, named=True)
        if options.sheet in (None, reader.info.sheet):
            readers.append(reader)
    if not readers:
        raise source.error(
            "MISSING_SHEET",
            f"has no data set '{options.sheet}'",
            "correct 'sheet' in the center's spec",
            sheet=options.sheet,
        )
    return readers


def _open(
    source: Source,
    options: ReadOptions,
    kind: str,
    *,
    path: Path | None = None,
    named: bool = False,
) -> TableReader:
    facts: dict[str, Any] = {}
    frames: list[pl.DataFrame] = []
    with local_copy(source) as local:
        for answer in CHILD.ask(
            source, path or local, kind, options.limits, encoding=options.encoding
        ):
            if "rows" in answer:
                frames.append(cells_frame(answer["rows"], answer["columns"]))
            else:
                facts = answer
    sheet = facts.get("table") if named else None
    described = facts.get("columns", [])
    names = checked_names(
        source, [column["name"] for column in described], options.limits.columns, sheet
    )
    if not frames:
        raise no_rows(source, sheet)
    frame = pl.concat(frames)
    frame = frame.rename(dict(zip(frame.columns[1:], names, strict=True)))
    full = pl.any_horizontal(pl.exclude("_row").is_not_null())
    body = frame.filter(full)
    blank = frame.height - body.height
    body, rejects = split_bad_characters(body)
    info = TableInfo(
        file=source.name,
        sheet=sheet,
        kind=kind,
        encoding=facts.get("encoding") or options.encoding,
        delimiter=None,
        decimal=None,
        date_system=None,
        sha256=options.sha256 or source.sha256(),
        columns=tuple(
            ColumnInfo(name, at, column["label"], column["labels"], tuple(column["missing"]))
            for at, (name, column) in enumerate(zip(names, described, strict=True), 1)
        ),
    )
    return FrameReader(info, [body], rejects_frame(rejects), blank, options.batch_rows)


def _xpt_members(source: Source) -> list[tuple[int, int]]:
    """Start and end in bytes of the data sets of a transport file."""
    starts: list[int] = []
    with source.open() as file:
        at = 0
        while block := file.read(_CARD * 65_536):
            found = block.find(_XPT_MEMBER)
            while found >= 0:
                if found % _CARD == 0:
                    starts.append(at + found)
                found = block.find(_XPT_MEMBER, found + 1)
            at += len(block)
    return list(zip(starts, [*starts[1:], at][: len(starts)], strict=True))


@contextmanager
def _xpt_part(source: Source, member: tuple[int, int]) -> Iterator[Path]:
    """A transport file of one data set: the library's cards and the member's."""
    start, end = member
    with tempfile.TemporaryDirectory(prefix="carmony-") as folder:
        path = Path(folder) / "member.xpt"
        with source.open() as file, path.open("wb") as part:
            part.write(file.read(3 * _CARD))
            file.seek(start)
            left = end - start
            while left and (piece := file.read(min(left, 1 << 20))):
                part.write(piece)
                left -= len(piece)
        yield path
