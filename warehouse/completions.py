"""Times to event with partial dates at their earliest and at their latest: a sensitivity pair.

The statements of the primary analysis run again on a small database of its own that holds only the
patients with a partial date; everybody else has the same time whatever day is filled in.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from warehouse.sql_text import quoted, sql_file

if TYPE_CHECKING:
    import duckdb

Completion = Literal["EARLIEST", "LATEST"]
DeriveTimes = Callable[["duckdb.DuckDBPyConnection", Completion], None]

COMPLETIONS: tuple[Completion, ...] = ("EARLIEST", "LATEST")
CORE_TABLES = (
    "subject",
    "infusion",
    "relapse",
    "treatment_line",
    "response",
    "follow_up",
    "lab",
    "lesion",
    "toxicity",
)
# What checks hold back is no less held under another completion of the dates.
HELD_TABLES = ("held_row", "held_progression")
CENTER_TABLES = ("export_day",)


def add_completions(con: duckdb.DuckDBPyConnection, derive_times: DeriveTimes) -> None:
    """Adds the rows of both completions to `analysis.adtte` and `analysis.exclusion`.

    Args:
        con: The staged warehouse with the primary analysis derived.
        derive_times: Makes `analysis.adtte` and `analysis.exclusion` of a database with schema `core`
            under a completion.

    Raises:
        duckdb.Error: A core table is missing.
    """
    _run(con, "partial_patient")
    [(n_partial,)] = con.execute("select count(*) from partial_patient").fetchall()
    with tempfile.TemporaryDirectory(prefix="carmony-") as temporary:
        folder = Path(temporary)
        if n_partial:
            _copy_core(con, folder)
        for completion in COMPLETIONS:
            con.execute(f"set variable completion = {quoted(completion)}").fetchall()
            if n_partial:
                _complete(folder, completion, derive_times)
            for name, target in (("completed_time", "adtte"), ("completed_exclusion", "exclusion")):
                rows = (
                    f"read_parquet({quoted(str(folder / f'{target}.parquet'))})"
                    if n_partial
                    else f"analysis.{target} limit 0"
                )
                con.execute(
                    f"create or replace temp table {name} as select * from {rows}"
                ).fetchall()
            _run(con, "add_exclusions")
            _run(con, "add_times")
    con.execute("set variable completion = 'PRIMARY'").fetchall()


def _complete(folder: Path, completion: Completion, derive_times: DeriveTimes) -> None:
    import duckdb

    small = duckdb.connect(config={"threads": 1})
    try:
        small.execute("create schema core").fetchall()
        for table in CORE_TABLES:
            file = quoted(str(folder / f"core_{table}.parquet"))
            small.execute(
                f"create table core.{table} as select * from read_parquet({file})"
            ).fetchall()
        for table in (*HELD_TABLES, *CENTER_TABLES):
            file = quoted(str(folder / f"{table}.parquet"))
            small.execute(
                f"create temp table {table} as select * from read_parquet({file})"
            ).fetchall()
        derive_times(small, completion)
        for table in ("adtte", "exclusion"):
            _copy(small, f"from analysis.{table}", folder / f"{table}.parquet")
    finally:
        small.close()


def _copy_core(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    for table in CORE_TABLES:
        rows = f"from core.{table} semi join partial_patient using (usubjid)"
        _copy(con, rows, folder / f"core_{table}.parquet")
    for table in HELD_TABLES:
        rows = f"from {table} semi join partial_patient using (usubjid)"
        _copy(con, rows, folder / f"{table}.parquet")
    for table in CENTER_TABLES:
        _copy(con, f"from {table}", folder / f"{table}.parquet")


def _copy(con: duckdb.DuckDBPyConnection, rows: str, path: Path) -> None:
    con.execute(f"copy ({rows}) to {quoted(str(path))} (format parquet)").fetchall()


def _run(con: duckdb.DuckDBPyConnection, name: str) -> None:
    con.execute(sql_file("completion", name)).fetchall()
