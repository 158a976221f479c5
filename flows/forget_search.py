"""Where words stand in files, however they are packed: zip and xlsx, Parquet, DuckDB, gzip, plain bytes.

What is unpacked is searched as bytes for every form in which a program writes the word (`forget_forms.py`). Two kinds
need more: texts of workbooks and letters, which formatting cuts into pieces, and files of statistical
programs, which put texts side by side without a sign between them, or cut them: these are read as tables.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl

from flows.forget_forms import Needles

_DUCKDB = b"DUCK"
_DEEPEST = 4  # packed things in packed things
_LARGEST = 500_000_000  # bytes that may come out of one packed thing


@dataclass(slots=True)
class Searched:
    """Where the words stand, and the files whose inside could not be looked at as a whole."""

    hits: list[Path] = field(default_factory=list)
    not_searched: list[Path] = field(default_factory=list)


class _PackedError(Exception):
    """What is packed cannot be unpacked."""


def found_in(
    folder: Path, words: Sequence[str], leave_out: Iterable[Path] = (), others: Iterable[str] = ()
) -> list[Path]:
    """Files under a folder that hold one of the words; see `search`."""
    return search(folder, words, leave_out, others).hits


def search(
    folder: Path, words: Sequence[str], leave_out: Iterable[Path] = (), others: Iterable[str] = ()
) -> Searched:
    """Files under a folder that hold one of the words in content or path; links are not followed.

    Args:
        folder: where to look.
        words: what to look for.
        leave_out: files and folders that are not looked into.
        others: longer texts that hold a word and do not count, as ids of other patients.

    Returns:
        The files with a word, and those without one that are damaged, locked, packed deeper than four
        times or larger than 500 MB when unpacked: of these, only what could be read was searched.
    """
    needles, out = Needles(words, others), [path.resolve() for path in leave_out]
    done = Searched()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if any(path.resolve() == one or one in path.resolve().parents for one in out):
            continue
        name = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
        try:
            if needles.found(name) or any(needles.found(data) for data in _unpacked(path)):
                done.hits.append(path)
        except _PackedError:
            done.not_searched.append(path)
    return done


def _unpacked(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and of what is packed in it."""
    data = path.read_bytes()
    yield data
    if data[8:12] == _DUCKDB:
        yield from _duckdb(path)
    else:
        yield from _inside(data)


def _inside(data: bytes, depth: int = 0) -> Iterator[bytes]:
    if data.startswith(_CLOSED):
        raise _PackedError
    packed = next((read for start, read in _PACKED if data.startswith(start)), None)
    if packed is None:
        yield from _whole_texts(data)
        return
    if depth == _DEEPEST:
        raise _PackedError
    failed = False
    members = packed(data)
    while True:
        try:
            member = next(members)
        except StopIteration:
            break
        except Exception:  # a damaged file can make a reader fail in any way
            failed = True
            break
        yield member
        try:
            yield from _inside(member, depth + 1)
        except _PackedError:  # the members after it are looked at all the same
            failed = True
    if failed:
        raise _PackedError


def _zip(data: bytes) -> Iterator[bytes]:
    failed = False
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.infolist():
            try:
                with archive.open(name) as member:
                    yield _read(cast("BinaryIO", member))
            except (_PackedError, zipfile.BadZipFile, RuntimeError, ValueError, OSError, EOFError):
                failed = True  # damaged, or locked by a password
    if failed:
        raise _PackedError


def _gzip(data: bytes) -> Iterator[bytes]:
    with gzip.open(io.BytesIO(data)) as member:
        yield _read(cast("BinaryIO", member))


def _bz2(data: bytes) -> Iterator[bytes]:
    with bz2.open(io.BytesIO(data)) as member:
        yield _read(cast("BinaryIO", member))


def _xz(data: bytes) -> Iterator[bytes]:
    with lzma.open(io.BytesIO(data)) as member:
        yield _read(cast("BinaryIO", member))


def _table(suffix: str) -> Callable[[bytes], Iterator[bytes]]:
    """A file of a statistical program, read as a delivery is."""

    def cells(data: bytes) -> Iterator[bytes]:
        from transforms.read import open_tables

        with tempfile.NamedTemporaryFile(suffix=suffix) as file:
            file.write(data)
            file.flush()
            for table in open_tables(Path(file.name)):
                for batch in table.batches():
                    yield batch.write_ndjson().encode()

    return cells


def _whole_texts(data: bytes) -> Iterator[bytes]:
    """Texts of XML that stand in several pieces, as letters of one cell in two colours."""
    if data.lstrip()[:1] == b"<" and any(piece in data for piece in _PIECES):
        inner = (match[2] for match in _TEXTS.finditer(data) if match[2].count(b"<") > 2)
        yield b"\n".join(_TAG.sub(b"", text) for text in inner)


def _parquet(data: bytes) -> Iterator[bytes]:
    yield pl.read_parquet(io.BytesIO(data)).write_ndjson().encode()


def _read(member: BinaryIO) -> bytes:
    data = member.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise _PackedError
    return data


_PACKED: tuple[tuple[bytes, Callable[[bytes], Iterator[bytes]]], ...] = (
    (b"PK\x03\x04", _zip),
    (b"\x1f\x8b", _gzip),
    (b"BZh", _bz2),
    (b"\xfd7zXZ\x00", _xz),
    (b"PAR1", _parquet),
    (b"$FL2", _table(".sav")),
    (b"$FL3", _table(".zsav")),
    (bytes(12) + b"\xc2\xea\x81\x60", _table(".sas7bdat")),
    (b"HEADER RECORD*******", _table(".xpt")),
    (b"<stata_dta>", _table(".dta")),
    *(
        (bytes([version, order, 1, 0]), _table(".dta"))
        for version in (113, 114, 115)
        for order in (1, 2)
    ),
    (b"\xd0\xcf\x11\xe0", _table(".xls")),  # with a password it cannot be read, which is told
)
# 7z, rar, zstd and PDF: nothing here unpacks them.
_CLOSED = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"%PDF-")
# Shared and inline strings, paragraphs and comments; and what cuts their text.
_TEXTS = re.compile(rb"<((?:\w+:)?(?:si|is|p|h|text|comment|shape))\b[^>]*>(.*?)</\1>", re.DOTALL)
_PIECES = (b"<r>", b"<r ", b":r>", b":r ", b":span")
_TAG = re.compile(rb"<[^>]*>")


def _duckdb(path: Path) -> Iterator[bytes]:
    import duckdb

    con = duckdb.connect(str(path), read_only=True, config={"memory_limit": "1GB"})
    try:
        tables = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
        for schema, table in tables:
            rows = con.execute(f'SELECT t::VARCHAR FROM "{schema}"."{table}" t').fetchall()
            yield "\n".join(str(row[0]) for row in rows).encode()
    finally:
        con.close()
