"""Queries of each center by state, and the values that were confirmed although a rule speaks against them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.displays.estimate import ALL, Estimate

if TYPE_CHECKING:
    import duckdb

    from reports.displays.data import AnalysisData

HERE = Path(__file__).parent
NEEDS = frozenset({"query", "exception", "rule", "delivery"})
# Rows of a center in the order of the printed columns, with the column of `queries.sql`.
COUNTS = {
    "OPEN": ("Open", "n_open"),
    "OPEN_ERROR": ("Open, of errors", "n_open_error"),
    "ANSWERED": ("Answered", "n_answered"),
    "CANDIDATE": ("Not yet asked", "n_candidate"),
    "RESOLVED": ("Settled by the data", "n_resolved"),
    "CLOSED": ("Closed", "n_closed"),
    "CANCELLED": ("Cancelled", "n_cancelled"),
}
EXCEPTION = "EXCEPTION"


@dataclass(frozen=True)
class QueryData:
    """Records of `queries.sql` and `exceptions.sql`; empty where no query was ever made."""

    centers: tuple[dict[str, Any], ...] = ()
    exceptions: tuple[dict[str, Any], ...] = ()


def read(con: duckdb.DuckDBPyConnection) -> QueryData:
    """Reads what is there; a warehouse without queries has nothing to tell."""
    known = con.execute(
        "select table_name from duckdb_tables() where schema_name = 'quality'"
    ).fetchall()
    if NEEDS - {str(row[0]) for row in known}:
        return QueryData()
    if not con.execute("select count(*) from quality.query").fetchall()[0][0]:
        return QueryData()
    return QueryData(_records(con, "queries"), _records(con, "exceptions"))


def queries(data: AnalysisData) -> Iterator[Estimate]:
    """Rows of QUERIES: every center by state, all centers together, then the exceptions."""
    centers = data.queries.centers
    for center in centers:
        yield from _states(center["center_id"], center["center_id"], center)
    if centers:
        total = {
            column: sum(int(center[column]) for center in centers) for _, column in COUNTS.values()
        }
        yield from _states(ALL, "All", total)
    for exception in data.queries.exceptions:
        yield Estimate(
            display="QUERIES",
            population=exception["center_id"],
            population_label=exception["center_id"],
            row=EXCEPTION,
            row_label=f"{exception['title']} ({exception['rule_id']})",
            level=exception["rule_id"],
            level_label=_confirmed(exception),
            statistic="n",
            value=float(exception["n"]),
            n=exception["n"],
            text=str(exception["n"]),
        )


def _states(code: str, label: str, counts: dict[str, Any]) -> Iterator[Estimate]:
    for row, (name, column) in COUNTS.items():
        number = int(counts[column])
        yield Estimate(
            display="QUERIES",
            population=code,
            population_label=label,
            row=row,
            row_label=name,
            statistic="n",
            value=float(number),
            n=number,
            text=str(number),
        )


def _confirmed(exception: dict[str, Any]) -> str:
    who = f"confirmed by the {exception['confirmed_by']}"
    if exception["row_held"]:
        return f"{who}; the row stays held"
    out = exception["disposition"] == "screen_out"
    return f"{who}; the patient stays outside the study" if out else f"{who}; the row is used"


def _records(con: duckdb.DuckDBPyConnection, name: str) -> tuple[dict[str, Any], ...]:
    result = con.execute((HERE / f"{name}.sql").read_text(encoding="utf-8"))
    columns = [column[0] for column in result.description or ()]
    return tuple(dict(zip(columns, row, strict=True)) for row in result.fetchall())
