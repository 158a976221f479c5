"""The files and sheets of a delivery that a spec names, opened."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from schemas.delivery import DeliveredFile, Delivery
from schemas.errors import FileError, SpecError
from schemas.spec import CenterSpec, Source
from schemas.spec.base import listed
from transforms.harmonize.absent import no_table
from transforms.read import ColumnInfo, ReadOptions, TableReader, open_tables, zip_members
from transforms.read.source import shown

BATCH_ROWS = 250_000
_OF_ALL_PATIENTS = ("subject", "infusion", "follow_up")


@dataclass(frozen=True)
class OpenSource:
    """One file or sheet that a source of the spec reads."""

    source_id: int
    name: str  # of the source in the spec
    spec: Source
    reader: TableReader
    file: str  # path inside the delivery
    sheet: str | None
    occurrence: int  # 0, or more where the delivery holds the same bytes and sheet again
    columns: dict[str, ColumnInfo]

    @property
    def place(self) -> str:
        """File and sheet for messages."""
        return f"file '{self.file}'" + (f", sheet '{self.sheet}'" if self.sheet else "")


@dataclass
class Opened:
    """What `open_sources` found: sources, files and sheets that no source reads, sentences."""

    sources: list[OpenSource] = field(default_factory=list)
    unread: list[tuple[str, str | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # optional sources without a file


def open_sources(spec: CenterSpec, delivery: Delivery, batch_rows: int = BATCH_ROWS) -> Opened:
    """Opens what the spec names.

    Raises:
        SpecError: A source that is not optional finds no file, zip member or sheet (the last two are
            FileError MISSING_SHEET too); lists what there is.
        FileError: A file cannot be read as declared, or a zip that a source may be in cannot be opened.
    """
    opened = Opened()
    shelf = _Shelf(delivery, batch_rows)
    seen: dict[tuple[str, str | None], int] = {}
    for name, source in spec.sources.items():
        tables = list(shelf.tables(spec, source))
        if source.sheet is None and len(tables) > 1 and not _pattern(source.file):
            sheets = [sheet for _, sheet, _ in tables if sheet is not None]
            if len(sheets) > 1:
                raise SpecError(
                    f"{spec.path.name}: source '{name}' must name a sheet: '{source.file}' has {listed(sheets)}",
                    fix=f"write 'sheet:' under sources.{name}",
                )
        if not tables and not source.optional:
            raise no_table(
                spec,
                name,
                source,
                _printable(shelf.sheets_of(source.file)),
                _printable(shelf.members_of(source.file)),
                [shown(name) for name in shelf.names()],
            )
        if not tables:
            opened.missing.append(name)
            opened.notes.append(f"optional source '{name}' is not in the delivery")
        for found, tab, reader in tables:
            mark = (reader.info.sha256, tab)
            file, sheet = shown(found), shown(tab) if tab is not None else None
            columns = {nfc(column.name): column for column in reader.info.columns}
            opened.sources.append(
                OpenSource(
                    len(opened.sources) + 1,
                    name,
                    source,
                    reader,
                    file,
                    sheet,
                    seen.get(mark, 0),
                    columns,
                )
            )
            seen[mark] = seen.get(mark, 0) + 1
            opened.notes += [f"{file}: {note}" for note in reader.info.notes]
    opened.unread = [
        (shown(name), shown(sheet) if sheet is not None else None)
        for name, sheet in shelf.unread(spec)
    ]
    return opened


def _printable(parts: dict[str, list[str]]) -> dict[str, list[str]]:
    return {shown(name): [shown(part) for part in inside] for name, inside in parts.items()}


def nfc(text: str) -> str:
    """Unicode normal form C: the same letters are the same text."""
    return unicodedata.normalize("NFC", text)


def _pattern(name: str) -> bool:
    return any(char in name for char in "*?[")


def _brings_patients(spec: CenterSpec, source: Source) -> bool:
    """True if a table with a row for every patient is read from it: empty, it would take them all away."""
    return any(
        block.table in _OF_ALL_PATIENTS and spec.sources.get(block.source) is source
        for block in spec.tables
    )


def matches(name: str, pattern: str) -> bool:
    """True if a path inside the delivery, or its last part, fits the pattern."""
    name, pattern = nfc(name), nfc(pattern)
    return fnmatchcase(name, pattern) or (
        "/" not in pattern and fnmatchcase(name.rpartition("/")[2], pattern)
    )


class _Shelf:
    """The delivery's files; each is opened once for all sources that read it the same way."""

    def __init__(self, delivery: Delivery, batch_rows: int) -> None:
        self.delivery = delivery
        self.batch_rows = batch_rows
        self.used: set[tuple[str, str | None]] = set()
        self.found: dict[str, dict[str | None, None]] = {}
        self.open: dict[tuple[str, ReadOptions], list[TableReader]] = {}
        self.members: dict[str, list[str]] = {}
        self.broken: dict[str, FileError] = {}  # zips that cannot be opened; refused if wanted
        for file in delivery.files:
            if file.name.lower().endswith(".zip"):
                try:
                    self.members[file.name] = zip_members(delivery.path / file.name)
                except FileError as error:
                    self.members[file.name] = []
                    self.broken[file.name] = error

    def names(self) -> Iterable[str]:
        for file in self.delivery.files:
            yield from [f"{file.name}/{m}" for m in self.members.get(file.name, [])] or [file.name]

    def sheets_of(self, pattern: str) -> dict[str, list[str]]:
        """Opened files that fit, each with its sheets in the order of the file."""
        fitting = {name: found for name, found in self.found.items() if matches(name, pattern)}
        return {name: [s for s in found if s is not None] for name, found in fitting.items()}

    def members_of(self, pattern: str) -> dict[str, list[str]]:
        """Zips that the pattern names before its last '/', each with its members."""
        outer = pattern.rpartition("/")[0]
        return {
            name: inside
            for name, inside in self.members.items()
            if any(matches(name, part) for part in _heads(outer))
        }

    def tables(
        self, spec: CenterSpec, source: Source
    ) -> Iterator[tuple[str, str | None, TableReader]]:
        self._refuse_broken(spec, source.file)
        for file, member in self._files(source.file):
            name = f"{file.name}/{member}" if member else file.name
            options = ReadOptions(
                kind=source.kind,
                encoding=source.encoding,
                delimiter=source.delimiter,
                quote=source.quote,
                member=member,
                header_rows=source.header_rows,
                dictionary=self._dictionary(spec, source),
                password=os.environ.get(source.password) if source.password else None,
                batch_rows=self.batch_rows,
                sha256=None if member else file.sha256,
                may_be_empty=not _brings_patients(spec, source),
            )
            for reader in self._readers(file, name, options):
                sheet = reader.info.sheet
                if source.sheet is None or (sheet is not None and nfc(sheet) == nfc(source.sheet)):
                    self.used.add((name, sheet))
                    yield name, sheet, reader

    def _refuse_broken(self, spec: CenterSpec, pattern: str) -> None:
        """A zip that cannot be opened may hold what is wanted: rows must not be lost in silence."""
        literal = nfc(re.split(r"[*?\[]", pattern)[0])
        for name, error in self.broken.items():
            inside = nfc(name) + "/"
            fits = "/" not in pattern or inside.startswith(literal) or literal.startswith(inside)
            if fits and not any(matches(n, p) for n in (name, inside) for p in spec.ignore_files):
                raise error

    def _files(self, pattern: str) -> Iterator[tuple[DeliveredFile, str | None]]:
        for file in self.delivery.files:
            inside = self.members.get(file.name)
            if inside is None:
                if matches(file.name, pattern):
                    yield file, None
                continue
            for member in inside:
                if matches(f"{file.name}/{member}", pattern):
                    yield file, member

    def _readers(self, file: DeliveredFile, name: str, options: ReadOptions) -> list[TableReader]:
        """All tables of the file; the sheets are noted for messages."""
        key = (file.name, options)
        if key not in self.open:
            path = self.delivery.path / file.name
            self.open[key] = open_tables(path, options)
            sheets = {reader.info.sheet: None for reader in self.open[key]}
            self.found.setdefault(name, {}).update(sheets)
        return self.open[key]

    def _dictionary(self, spec: CenterSpec, source: Source) -> Path | None:
        if source.dictionary is None:
            return None
        for file in self.delivery.files:
            if matches(file.name, source.dictionary):
                self.used.add((file.name, None))
                return self.delivery.path / file.name
        beside = spec.path.parent / source.dictionary
        if beside.is_file():
            return beside
        raise SpecError(
            f"{spec.path.name}: there is no data dictionary '{source.dictionary}' in the delivery or beside the spec",
            fix="correct 'dictionary', or ask the center for the file",
        )

    def unread(self, spec: CenterSpec) -> Iterator[tuple[str, str | None]]:
        """Files, zip members and sheets that no source reads and the spec does not ignore."""
        read = {name for name, _ in self.used}
        for name in self.names():
            if name not in read and not any(matches(name, p) for p in spec.ignore_files):
                yield name, None
        for name, sheets in self.found.items():
            for sheet in sorted(s for s in sheets if s is not None):
                ignored = any(fnmatchcase(nfc(sheet), nfc(p)) for p in spec.ignore_sheets)
                if name in read and (name, sheet) not in self.used and not ignored:
                    yield name, sheet


def _heads(path: str) -> Iterator[str]:
    """The path and the folders it is in: a/b.zip/c gives a/b.zip/c, a/b.zip and a."""
    while path:
        yield path
        path = path.rpartition("/")[0]
