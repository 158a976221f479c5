"""What the scorecards show, read from `quality` of a warehouse; nothing is computed twice."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

SQL = Path(__file__).parent / "sql"
MOST_QUERIES = 5000  # lines of the list of queries on the page of the study


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a center after a load; `value` is None where nothing could be judged."""

    value: float | None
    numerator: int | None
    denominator: int | None
    better: str | None
    rank: int | None
    n_ranked: int | None
    before: float | None
    rank_before: int | None


NOTHING = Figure(None, None, None, None, None, None, None, None)


@dataclass(frozen=True)
class Period:
    """A load that figures are kept of."""

    load_id: int
    month: dt.date
    as_of: dt.datetime


@dataclass(frozen=True)
class Scorecards:
    """Figures of all centers and what lies behind them.

    Attributes:
        centers: In report order.
        periods: In order; the last one is the state that the page shows.
        before: The period it is compared with, None for a first load.
        figures: By load, center, figure and level (None: all).
        rules: By id: title, severity, category and Kahn category, in order.
        cells: By rule and center: open, answered, candidate, n_failed, n_judged.
        queries: Lines of the list of queries, at most `MOST_QUERIES`.
        n_queries: How many queries there are.
        waiting: By center: open and answered queries by rule and age.
        moved: By center: what happened to its queries since `before`.
        deliveries: By center: the day of its delivery in force.
    """

    title: str
    study_id: str
    centers: tuple[str, ...]
    periods: tuple[Period, ...]
    before: Period | None
    figures: dict[tuple[int, str, str, str | None], Figure]
    rules: dict[str, dict[str, Any]]
    cells: dict[tuple[str, str], dict[str, Any]]
    queries: tuple[dict[str, Any], ...]
    n_queries: int
    waiting: dict[str, list[dict[str, Any]]]
    moved: dict[str, dict[str, int]]
    deliveries: dict[str, dt.date | None]

    @property
    def now(self) -> Period:
        """The state that the pages show."""
        return self.periods[-1]

    def day(self, period: Period) -> str:
        """The day of a state, with its time (UTC) where two states are of one day."""
        same = [p for p in self.periods if p.as_of.date() == period.as_of.date()]
        return (
            period.as_of.date().isoformat()
            if len(same) == 1
            else period.as_of.isoformat(" ", "minutes")
            if len({p.as_of.isoformat(" ", "minutes") for p in same}) == len(same)
            else period.as_of.isoformat(" ", "seconds")
        )

    @cached_property
    def levels(self) -> dict[tuple[str, str], dict[str, Figure]]:
        """Figures of the state now by level: (center, figure) → level → figure."""
        found: dict[tuple[str, str], dict[str, Figure]] = {}
        for (load_id, center, name, level), figure in self.figures.items():
            if load_id == self.now.load_id and level is not None:
                found.setdefault((center, name), {})[level] = figure
        return found

    def figure(
        self, center: str, name: str, level: str | None = None, load_id: int | None = None
    ) -> Figure:
        """A figure of a center, of the state now unless another load is named."""
        load = self.now.load_id if load_id is None else load_id
        return self.figures.get((load, center, name, level), NOTHING)


def read_scorecards(warehouse: Path, centers: tuple[str, ...] | None = None) -> Scorecards | None:
    """Reads a warehouse whose `quality.scorecard` is filled; it is not changed.

    Args:
        warehouse: The file.
        centers: Centers in report order; others follow by id.

    Returns:
        None where no figure is kept: a warehouse of an earlier version, or without a center.
    """
    import duckdb

    con = duckdb.connect(str(warehouse), read_only=True)
    try:
        if not _has_scorecard(con):
            return None
        return _read(con, centers or ())
    finally:
        con.close()


def _has_scorecard(con: duckdb.DuckDBPyConnection) -> bool:
    known = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'quality' AND table_name = 'scorecard'"
    ).fetchall()
    return bool(
        known[0][0] and con.execute("SELECT count(*) FROM quality.scorecard").fetchall()[0][0]
    )


def _read(con: duckdb.DuckDBPyConnection, wanted: tuple[str, ...]) -> Scorecards:
    rows = _records(con, "figures")
    periods = {r["load_id"]: Period(r["load_id"], r["month"], r["as_of"]) for r in rows}
    now = max(periods)
    compared = next(r["before_load_id"] for r in rows if r["load_id"] == now)
    found = {r["center_id"] for r in rows if r["load_id"] == now}
    title, study_id = con.execute("SELECT title, study_id FROM meta.run").fetchall()[0]
    n_queries = int(con.execute("SELECT count(*) FROM quality.query").fetchall()[0][0])
    return Scorecards(
        title=title,
        study_id=study_id,
        centers=tuple(sorted(found, key=lambda c: (c not in wanted, _place(c, wanted), c))),
        periods=tuple(period for _, period in sorted(periods.items())),
        before=periods.get(compared) if compared is not None else None,
        figures={
            (r["load_id"], r["center_id"], r["figure"], r["level"]): Figure(
                r["value"], r["numerator"], r["denominator"], r["better"], r["rank"], r["n_ranked"],
                r["value_before"], r["rank_before"],
            )
            for r in rows
        },
        rules={r["rule_id"]: r for r in _records(con, "rules")},
        cells={(r["rule_id"], r["center_id"]): r for r in _records(con, "cells")},
        queries=tuple(_records(con, "queries", f"LIMIT {MOST_QUERIES}")),
        n_queries=n_queries,
        waiting=_by_center(_records(con, "waiting")),
        moved={r["center_id"]: r for r in _records(con, "moved")},
        deliveries={r["center_id"]: r["received_on"] for r in _records(con, "deliveries")},
    )  # fmt: skip


def _place(center: str, wanted: tuple[str, ...]) -> int:
    return wanted.index(center) if center in wanted else len(wanted)


def _by_center(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["center_id"], []).append(row)
    return found


def _records(con: duckdb.DuckDBPyConnection, name: str, more: str = "") -> list[dict[str, Any]]:
    result = con.execute((SQL / f"{name}.sql").read_text(encoding="utf-8") + more)
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
