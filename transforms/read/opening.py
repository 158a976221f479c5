"""`open_tables`: the one way into this package."""

from __future__ import annotations

from pathlib import Path

from transforms.read.containers import is_office_container, open_ods, open_xls, open_xlsx
from transforms.read.csv_reader import open_csv
from transforms.read.registry import kind_of, looks_like_text, register
from transforms.read.source import Source, source_of
from transforms.read.tables import ReadOptions, TableReader

register("csv", (".csv", ".tsv", ".txt", ".tab"), looks_like_text, open_csv)
register("xlsx", (".xlsx", ".xlsm", ".xltx", ".xltm"), is_office_container, open_xlsx)
register("xls", (".xls",), is_office_container, open_xls)
register("ods", (".ods",), is_office_container, open_ods)


def open_source(source: Source, options: ReadOptions) -> list[TableReader]:
    """The tables of a file or zip member that was already found.

    Raises:
        FileError: The file cannot be read as declared.
    """
    readers = kind_of(source, options).opener(source, options)
    source.check_unchanged()
    return readers


def open_tables(path: Path, options: ReadOptions | None = None) -> list[TableReader]:
    """The tables of a file: one reader per sheet or zip member, in the order of the file.

    Args:
        path: The file.
        options: What the center's spec declares; the rest is detected and told in `info`.

    Raises:
        FileError: The file cannot be read as declared; the message says what to do.
    """
    return open_source(source_of(Path(path)), options or ReadOptions())
