"""SPSS and SAS transport files with labels, and without the time at which they were written."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.files import patch
from demo.grid import Cell, Grid

FILE_LABEL = "Synthetic data, no real person"
_SAV_DATE = 92  # 'dd mmm yy' and 'hh:mm:ss' follow the bias in the file header
_XPT_TIME = re.compile(rb"\d{2}[A-Z]{3}\d{2}:\d{2}:\d{2}:\d{2}")


def frame(grid: Grid, dates: set[str]) -> Any:
    """The grid as a Polars frame: text, numbers or dates per column."""
    import polars as pl

    columns = {}
    rows = list(grid.rows())
    for j, column in enumerate(grid.columns):
        cells: list[Cell] = [row[j] for row in rows]
        if column.header in dates:
            columns[column.header] = pl.Series(cells, dtype=pl.Date)
        elif any(isinstance(cell, str) for cell in cells):
            columns[column.header] = pl.Series(
                ["" if cell is None else str(cell) for cell in cells], dtype=pl.String
            )
        else:
            numbers = [None if cell is None else float(cell) for cell in cells]  # type: ignore[arg-type]
            columns[column.header] = pl.Series(numbers, dtype=pl.Float64)
    return pl.DataFrame(columns)


def sav_bytes(
    grid: Grid,
    dates: set[str],
    labels: Mapping[str, str],
    value_labels: Mapping[str, dict[int | float, str]],
    missing: Mapping[str, list[int]],
) -> bytes:
    """An SPSS system file with variable and value labels and user-missing codes."""
    import pyreadstat

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.sav"
        pyreadstat.write_sav(
            frame(grid, dates),
            path,
            file_label=FILE_LABEL,
            column_labels=dict(labels),
            note="Synthetic data: no real person is described in this file.",
            variable_value_labels=dict(value_labels),
            missing_ranges={name: list(codes) for name, codes in missing.items()},
        )
        return patch(path.read_bytes(), [(_SAV_DATE, b"31 Aug 2412:00:00")])


def xpt_bytes(grid: Grid, dates: set[str], labels: Mapping[str, str], table: str) -> bytes:
    """A SAS transport file (version 5) with one data set."""
    import pyreadstat

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.xpt"
        pyreadstat.write_xport(
            frame(grid, dates),
            path,
            file_label=FILE_LABEL,
            column_labels=dict(labels),
            table_name=table,
            file_format_version=5,
        )
        return _XPT_TIME.sub(b"31AUG24:12:00:00", path.read_bytes())


def to_date(value: dt.date) -> dt.date:
    """Dates stay dates; the file format stores them as numbers with a date format."""
    return value
