"""Where words stand in files, however they are packed: zip and xlsx, Parquet, DuckDB, gzip, plain bytes."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

_ENCODINGS = ("utf-8", "utf-16-le", "latin-1")
_DUCKDB = b"DUCK"


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
    """Files under a folder that hold one of the words in content or path; links are not followed.

    Args:
        folder: where to look.
        words: what to look for.
        leave_out: files and folders that are not looked into.
    """
    pattern, out = needles(words), [path.resolve() for path in leave_out]
    hits = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if any(path.resolve() == one or one in path.resolve().parents for one in out):
            continue
        name = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
        if pattern.search(name) or any(pattern.search(data) for data in unpacked(path)):
            hits.append(path)
    return hits


def unpacked(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and of what is packed in it."""
    data = path.read_bytes()
    yield data
    if data[8:12] == _DUCKDB:
        yield from _duckdb(path)
    else:
        yield from _inside(data)


def _inside(data: bytes, depth: int = 0) -> Iterator[bytes]:
    if depth > 4:
        return
    if data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = [archive.read(name) for name in archive.namelist()]
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
            return
        for member in members:
            yield member
            yield from _inside(member, depth + 1)
    elif data[:2] == b"\x1f\x8b":
        try:
            member = gzip.decompress(data)
        except (OSError, EOFError):
            return
        yield member
        yield from _inside(member, depth + 1)
    elif data[:4] == b"PAR1":
        try:
            frame = pl.read_parquet(io.BytesIO(data))
        except pl.exceptions.PolarsError:
            return
        yield frame.write_ndjson().encode()


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
