"""What models read beside the analysis tables of all displays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.alternatives import Alternative
from reports.displays.alternatives import read as read_alternatives

if TYPE_CHECKING:
    import duckdb

HERE = Path(__file__).parent
NEEDS = {
    "late_responses": ("analysis.adrs",),
    "completed_times": ("analysis.adtte",),
    "open_errors": ("quality.finding", "quality.delivery"),
}


@dataclass(frozen=True)
class ModelData:
    """Frames for landmark models and sensitivities; None where the warehouse lacks the tables.

    `late_responses`: USUBJID, RESPONSE (CR, VGPR, PR), ADT (first day of the class).
    `completed_times`: USUBJID, PARAMCD, ANALYSIS, AVAL, CNSR where they differ from the primary analysis.
    `completions`: the completions of partial dates that were computed.
    `open_errors`: USUBJID of patients with an error in a delivery in force.
    `alternatives`: what is another one under each setting that the study has not chosen.
    """

    late_responses: pl.DataFrame | None = None
    completed_times: pl.DataFrame | None = None
    completions: tuple[str, ...] = ()
    open_errors: pl.DataFrame | None = None
    alternatives: tuple[Alternative, ...] | None = None


def read(con: duckdb.DuckDBPyConnection) -> ModelData:
    """Reads what is there; the statements lie beside this file."""
    known = {
        f"{schema}.{table}"
        for schema, table in con.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall()
    }
    frames = {
        name: _frame(con, name) if known.issuperset(tables) else None
        for name, tables in NEEDS.items()
    }
    completions = con.execute(
        "select distinct ANALYSIS from analysis.adtte where ANALYSIS <> 'PRIMARY' order by 1"
    ).fetchall()
    return ModelData(
        frames["late_responses"],
        frames["completed_times"],
        tuple(str(row[0]) for row in completions),
        frames["open_errors"],
        read_alternatives(con),
    )


def _frame(con: duckdb.DuckDBPyConnection, name: str) -> pl.DataFrame:
    return pl.DataFrame(con.sql((HERE / f"{name}.sql").read_text(encoding="utf-8")))
