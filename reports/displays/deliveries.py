"""Which delivery of each center stands, and which centers could not be brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.displays.estimate import Estimate

if TYPE_CHECKING:
    import duckdb

    from reports.displays.data import AnalysisData

SQL = Path(__file__).with_name("deliveries.sql")
# Rows of a center in the order of the printed columns, with the column of `deliveries.sql`.
COUNTS = {
    "LOADED": ("Rows loaded", "n_loaded"),
    "HELD_BACK": ("Rows held back", "n_held_back"),
    "ERRORS": ("Open errors", "n_errors"),
    "WARNINGS": ("Open warnings", "n_warnings"),
}


def read(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, Any], ...]:
    """One record a center, as `deliveries.sql` gives it; none where the file has no deliveries."""
    known = con.execute(
        "select count(*) from duckdb_tables()"
        " where schema_name = 'quality' and table_name = 'delivery'"
    ).fetchall()
    if not known[0][0]:
        return ()
    result = con.execute(SQL.read_text(encoding="utf-8"))
    names = [column[0] for column in result.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in result.fetchall())


def deliveries(data: AnalysisData) -> Iterator[Estimate]:
    """Rows of DELIVERIES: the marker of the page if it needs one, then every center."""
    behind = [center for center in data.deliveries if center["outcome"] != "loaded"]
    if behind:
        number = "1 center" if len(behind) == 1 else f"{len(behind)} centers"
        names = ", ".join(_named(center) for center in behind)
        yield Estimate(
            display="DELIVERIES",
            row="BEHIND",
            statistic="n",
            value=float(len(behind)),
            n=len(behind),
            text=f"{number} could not be brought up to date: {names}.",
        )
    for center in data.deliveries:
        yield from _rows(center)


def _rows(center: dict[str, Any]) -> Iterator[Estimate]:
    code = center["center_id"]
    common: dict[str, Any] = {"display": "DELIVERIES", "population": code, "population_label": code}
    yield Estimate(
        **common,
        row="IN_FORCE",
        row_label="Delivery in force",
        statistic="date",
        n=center["n_force"],
        text=_in_force(center),
    )
    for row, (label, column) in COUNTS.items():
        number = center[column]
        yield Estimate(
            **common,
            row=row,
            row_label=label,
            statistic="n",
            value=None if number is None else float(number),
            n=number,
            text="–" if number is None else str(number),
        )
    day = f"{center['tried_on']}: " if center["tried_on"] else ""
    yield Estimate(
        **common,
        row="NEWEST",
        row_label="Newest delivery tried",
        level=center["outcome"],
        level_label=center["reason"],
        statistic="outcome",
        text=f"{day}{_outcome(center, ' ({})')}",
    )


def _in_force(center: dict[str, Any]) -> str:
    if not center["n_force"]:
        return "none"
    more = f" ({center['n_force']} deliveries)" if center["n_force"] > 1 else ""
    return f"{center['force_on']}{more}"


def _outcome(center: dict[str, Any], form: str) -> str:
    outcome = center["outcome"] or "not known"
    return outcome + (form.format(center["reason"]) if center["reason"] else "")


def _named(center: dict[str, Any]) -> str:
    stands = (
        f"the state of {center['force_on']} stands"
        if center["n_force"]
        else "nothing of it is in the warehouse"
    )
    return f"{center['center_id']} ({_outcome(center, ', {}')}; {stands})"
