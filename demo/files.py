"""Writers of file formats; the same content always gives the same bytes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from demo.grid import Cell, Grid

STAMP = dt.datetime(2024, 8, 31, 12, 0, 0)


def text_cell(cell: Cell) -> str:
    """A cell of a text file."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def csv_bytes(
    grid: Grid,
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    newline: str = "\r\n",
    quote_all: bool = False,
) -> bytes:
    """A CSV file with one header row."""
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=delimiter,
        lineterminator=newline,
        quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
    )
    writer.writerow([column.header for column in grid.columns])
    writer.writerows([text_cell(cell) for cell in row] for row in grid.rows())
    return out.getvalue().encode(encoding)


def write_bytes(folder: Path, name: str, content: bytes) -> None:
    """Write one file of a delivery."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def zip_bytes(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip with fixed time stamps."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, STAMP.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, content)
    return out.getvalue()


def patch(content: bytes, spans: Sequence[tuple[int, bytes]]) -> bytes:
    """Overwrite bytes at given offsets, such as a time of writing."""
    patched = bytearray(content)
    for start, new in spans:
        patched[start : start + len(new)] = new
    return bytes(patched)
