"""Where words stand in files, however they are packed: zip and xlsx, Parquet, DuckDB, gzip, plain bytes."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl

_ENCODINGS = ("utf-8", "utf-16-le", "latin-1")
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


def needles(words: Iterable[str]) -> re.Pattern[bytes]:
    """A pattern of whole words, in the encodings of files; `12` is not found in `2012`."""
    codes = {
        word.encode(encoding)
        for word in words
        for encoding in _ENCODINGS
        if word.isascii() or encoding != "latin-1" or _fits(word)
    }
    listed = b"|".join(re.escape(code) for code in sorted(codes, key=len, reverse=True))
    return re.compile(rb"(?<![0-9A-Za-z])(?:" + listed + rb")(?![0-9A-Za-z])")


def found_in(folder: Path, words: Sequence[str], leave_out: Iterable[Path] = ()) -> list[Path]:
    """Files under a folder that hold one of the words; see `search`."""
    return search(folder, words, leave_out).hits


def search(folder: Path, words: Sequence[str], leave_out: Iterable[Path] = ()) -> Searched:
    """Files under a folder that hold one of the words in content or path; links are not followed.

    Args:
        folder: where to look.
        words: what to look for.
        leave_out: files and folders that are not looked into.

    Returns:
        The files with a word, and those without one that are damaged, locked, packed deeper than four
        times or larger than 500 MB when unpacked: of these, only what could be read was searched.
    """
    pattern, out = needles(words), [path.resolve() for path in leave_out]
    done = Searched()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if any(path.resolve() == one or one in path.resolve().parents for one in out):
            continue
        name = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
        try:
            if pattern.search(name) or any(pattern.search(data) for data in _unpacked(path)):
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
    packed = next((read for start, read in _PACKED if data.startswith(start)), None)
    if packed is None:
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
    (b"PAR1", _parquet),
)


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


def _fits(word: str) -> bool:
    try:
        word.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
