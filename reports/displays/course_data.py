"""Salvage lines and responses of single patients, for the displays of courses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class CourseData:
    """`analysis.salvage_line` and `analysis.adrs`; without columns where the warehouse lacks them."""

    lines: pl.DataFrame = field(default_factory=pl.DataFrame)
    responses: pl.DataFrame = field(default_factory=pl.DataFrame)


def read(con: duckdb.DuckDBPyConnection) -> CourseData:
    """Reads both tables, lines and responses of a patient in their order."""
    return CourseData(
        _read_if_there(con, "salvage_line", "USUBJID, SALVSEQ"),
        _read_if_there(con, "adrs", "USUBJID, RSSEQ"),
    )


def _read_if_there(con: duckdb.DuckDBPyConnection, table: str, order: str) -> pl.DataFrame:
    found = con.execute(
        "select count(*) from duckdb_tables()"
        f" where schema_name = 'analysis' and table_name = '{table}'"
    ).fetchall()
    if not found[0][0]:
        return pl.DataFrame()
    return pl.DataFrame(con.sql(f"select * from analysis.{table} order by {order}"))
