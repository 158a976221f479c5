"""How the files of a packet are written: closed to others, whole or not at all, nothing in them can run."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import CarmonyError
from schemas.queries import Words
from warehouse.packet_lines import QUOTED, safe_for_csv
from warehouse.paths import private_folder

MOST_LINES = 50_000  # of a workbook; the CSV holds every line
MOST_CHARACTERS = 32_000  # Excel's limit is 32,767
CREATED = dt.datetime(2000, 1, 1)  # fixed, so that the same content gives the same bytes
_NAME = re.compile(r"[\w.+-]{1,80}", re.ASCII)


def check_names(*parts: str) -> None:
    """Refuses names of centers and deliveries that are no names of folders.

    Raises:
        CarmonyError: One of them is none.
    """
    for part in parts:
        if not _NAME.fullmatch(part) or part.startswith("."):
            raise CarmonyError(
                "The name of a center or delivery is no name of a folder.",
                fix="use letters, digits, - and _ in the center's id",
            )


def packet_folder(folder: Path) -> Path:
    """The folder of a packet, made if need be; it and the two above it are closed to others."""
    for level in (folder.parents[1], folder.parent, folder):
        private_folder(level)
    return folder


def write_closed(path: Path, content: bytes) -> None:
    """Writes a file that only its owner reads, in one step."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    temporary.replace(path)


def csv_bytes(lines: pl.DataFrame, titles: Mapping[str, str], words: Words) -> bytes:
    """The lines as CSV with these titles, UTF-8 with a mark as Excel wants it; formulas made safe."""
    out = BytesIO()
    safe_for_csv(lines.rename(titles), words(QUOTED)).write_csv(
        out, include_bom=True, quote_style="always", line_terminator="\r\n"
    )
    return out.getvalue()


def new_workbook(out: BytesIO, title: str) -> Any:
    """An empty workbook in which text stays text."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,  # no temporary files with patient data
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"title": title, "created": CREATED})
    return book


def cut(column: str, note: str) -> pl.Expr:
    """The column as text that fits into a cell; what is cut ends with the note."""
    text = pl.col(column).cast(pl.String)
    short = text.str.slice(0, MOST_CHARACTERS) + note
    return pl.when(text.str.len_chars() > MOST_CHARACTERS).then(short).otherwise(text).alias(column)
