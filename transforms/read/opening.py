"""`open_tables`: the one way into this package."""

from __future__ import annotations

from pathlib import Path

from transforms.read.archive import is_zip, member_names, open_zip
from transforms.read.containers import is_office_container, open_ods, open_xls, open_xlsx
from transforms.read.csv_reader import open_csv
from transforms.read.json_lines import is_json_lines, open_json_lines
from transforms.read.parquet import is_parquet, open_parquet
from transforms.read.registry import kind_of, looks_like_text, register
from transforms.read.source import Source, source_of
from transforms.read.statistical import (
    is_dta,
    is_sas7bdat,
    is_sav,
    is_xpt,
    open_dta,
    open_sas7bdat,
    open_sav,
    open_xpt,
)
from transforms.read.tables import ReadOptions, TableReader

register("csv", (".csv", ".tsv", ".txt", ".tab"), looks_like_text, open_csv)
register("xlsx", (".xlsx", ".xlsm", ".xltx", ".xltm"), is_office_container, open_xlsx)
register("xls", (".xls",), is_office_container, open_xls)
register("ods", (".ods",), is_office_container, open_ods)
register("sav", (".sav", ".zsav"), is_sav, open_sav)
register("xpt", (".xpt",), is_xpt, open_xpt)
register("sas7bdat", (".sas7bdat",), is_sas7bdat, open_sas7bdat)
register("dta", (".dta",), is_dta, open_dta)
register("parquet", (".parquet", ".pq"), is_parquet, open_parquet)
register("jsonl", (".jsonl", ".ndjson"), is_json_lines, open_json_lines)
register("zip", (".zip",), is_zip, open_zip)


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


def zip_members(path: Path) -> list[str]:
    """Names of the files in a zip, as its directory has them; nothing is unpacked or judged.

    Raises:
        FileError: WRONG_TYPE, TRUNCATED or CORRUPT: the directory cannot be read.
    """
    source = source_of(Path(path))
    kind_of(source, ReadOptions())
    return member_names(source)
