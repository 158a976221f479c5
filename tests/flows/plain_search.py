"""Where a text stands in files, found without the product: each kind of file is opened and its texts are read."""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl


def files_with(root: Path, text: str, but: tuple[str, ...] = ()) -> list[str]:
    """Paths below a folder of files that hold a text, and not only inside one of the texts `but`."""
    return holding(texts_in(root), text, but)


def texts_in(root: Path) -> dict[str, list[str]]:
    """All texts of the files below a folder, by path: for several searches of what does not change."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): list(_texts_of(path)) for path in files}


def holding(texts: dict[str, list[str]], text: str, but: tuple[str, ...] = ()) -> list[str]:
    """What `files_with` gives, of texts that are read already."""
    return [
        path for path, inside in texts.items() if any(_holds(found, text, but) for found in inside)
    ]


def _holds(found: str, text: str, but: tuple[str, ...]) -> bool:
    if text not in found:
        return False
    for longer in but:
        found = found.replace(longer, "")
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(text)}(?![0-9A-Za-z])", found) is not None


def _texts_of(path: Path) -> Iterator[str]:
    yield path.as_posix()
    data = path.read_bytes()
    if data[8:12] == b"DUCK":
        yield from _duckdb(path)
    else:
        yield from _texts(path.name, data)


def _texts(name: str, data: bytes) -> Iterator[str]:
    kind = Path(name).suffix
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield member
                yield from _texts(member, archive.read(member))
    elif data.startswith(b"\x1f\x8b"):
        yield from _texts(Path(name).stem, gzip.decompress(data))
    elif data.startswith(b"PAR1"):
        for row in pl.read_parquet(io.BytesIO(data)).iter_rows():
            yield from _within(list(row))
    elif kind in {".json", ".jsonl"}:
        for line in [data] if kind == ".json" else data.splitlines():
            try:
                yield from _within(json.loads(line))
            except ValueError:  # cut off by a crash
                yield line.decode("utf-8", "replace")
    elif kind == ".csv":
        for cells in csv.reader(io.StringIO(data.decode("utf-8"))):
            yield from cells
    elif kind in {".xml", ".rels", ".vml"}:
        for element in ET.fromstring(data).iter():
            yield "".join(element.itertext())
            yield from element.attrib.values()
    else:
        for encoding in ("utf-8", "latin-1", "utf-16-le"):
            text = data.decode(encoding, "replace")
            yield from (text, html.unescape(re.sub("<[^>]*>", "", text)))


def _within(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _within([*value, *value.values()])
    elif isinstance(value, list):
        for one in value:
            yield from _within(one)
    else:
        yield str(value)


def _duckdb(path: Path) -> Iterator[str]:
    con = duckdb.connect(str(path), read_only=True)
    try:
        named = con.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        for schema, table in named:
            for row in con.execute(f'FROM "{schema}"."{table}"').fetchall():
                yield from _within(list(row))
    finally:
        con.close()
