"""Files of any kind to cells: every value as the text that the file holds, with its address.

`open_tables(path, options)` gives one `TableReader` per sheet or zip member. Nothing is typed, dropped
or guessed here. Importing this package is cheap: the child process that parses workbooks does it too.
"""

from __future__ import annotations

from pathlib import Path

from transforms.read.tables import ColumnInfo, Limits, ReadOptions, TableInfo, TableReader

__all__ = [
    "ColumnInfo",
    "Limits",
    "ReadOptions",
    "TableInfo",
    "TableReader",
    "open_tables",
    "zip_members",
]


def open_tables(path: Path, options: ReadOptions | None = None) -> list[TableReader]:
    """The tables of a file; see `transforms.read.opening.open_tables`."""
    from transforms.read.opening import open_tables as opened

    return opened(path, options)


def zip_members(path: Path) -> list[str]:
    """The files that a zip holds; see `transforms.read.opening.zip_members`."""
    from transforms.read.opening import zip_members as members

    return members(path)
