"""A staged warehouse by hand: tables of `core` drawn in the test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.spec.study import Study
from tests.derive.by_hand import (
    PLAIN,
    Record,
    create_core_of,
    hold_back_of,
    make_study,
    records_of,
)
from tests.derive.rehearsal import Derived, Drawing, Rehearsal, mark, placed, select

Warehouse = Callable[..., Derived | duckdb.DuckDBPyConnection]


def derive_drawn(drawn: Sequence[tuple[int, Drawing]]) -> duckdb.DuckDBPyConnection:
    """One derivation of these drawings; they have the study in common."""
    from warehouse import analysis
    from warehouse.export_days import no_export_days

    con = duckdb.connect(config={"threads": 1})
    create_core_of(con, [(number, drawing.tables) for number, drawing in drawn])
    hold_back_of(con, [(number, each.held, each.progressions) for number, each in drawn])
    no_export_days(con)
    for number, drawing in drawn:
        if drawing.exported:
            center = f"DE01{mark(number)}"
            con.execute(f"insert into export_day values ('{center}', date '{drawing.exported}')")
    con.execute(";".join(drawing.before for _, drawing in drawn))
    with pytest.MonkeyPatch.context() as patch:
        if not drawn[0][1].completions:
            patch.setattr(analysis, "add_completions", lambda con, derive_times: None)
        analysis.derive(con, drawn[0][1].study)
    return con


REHEARSAL = Rehearsal(derive_drawn)


def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Before the first test of a file of this folder: all that ask for derivations are rehearsed."""
    if item.path.parent != Path(__file__).parent or item.path == REHEARSAL.file:
        return
    asking = [
        each
        for each in item.session.items
        if isinstance(each, pytest.Function)
        and each.path == item.path
        and "derived" in each.fixturenames
        and not hasattr(each.obj, "hypothesis")
    ]
    REHEARSAL.rehearse(item.path, asking)


@pytest.fixture
def derived() -> Warehouse:
    """Core tables drawn in the test (the others of `PLAIN`) → schema `analysis` derived.

    `held` draws rows of `temp.held_row`: what a check holds back, `progressions` rows of
    `temp.held_progression` beside those of `held`. `exported` is the day of the
    export of center DE01; `before` are statements to run on the core tables first. Without `completions` partial dates are not completed otherwise, which a test
    of what does not hold the rows EARLIEST and LATEST has no use for.
    """

    def build(
        study: Study | None = None,
        held: str = "",
        exported: str = "",
        completions: bool = True,
        progressions: str = "",
        before: str = "",
        **tables: str,
    ) -> Derived | duckdb.DuckDBPyConnection:
        drawn = {**PLAIN, **tables}
        shown = study or make_study()
        return REHEARSAL.of(
            Drawing(shown, drawn, held, progressions, exported, completions, before)
        )

    return build


@pytest.fixture
def study_with() -> Callable[..., Study]:
    """A study with other settings than the default."""
    return make_study


@pytest.fixture
def rows() -> Callable[..., list[dict[str, Any]]]:
    """Rows of an analysis table as dictionaries; dates as ISO text."""

    def read(
        con: Derived | duckdb.DuckDBPyConnection, table: str, where: str = "true"
    ) -> list[dict[str, Any]]:
        shared = isinstance(con, Derived)
        result = con.select(table, where) if shared else select(con, placed(table), where)
        names = [column[0] for column in result.description or ()]
        return [
            {
                name: cell.isoformat() if isinstance(cell, dt.date) else cell
                for name, cell in zip(names, row, strict=True)
            }
            for row in result.fetchall()
        ]

    return read


@pytest.fixture
def plain(
    derived: Warehouse, rows: Callable[..., list[dict[str, Any]]]
) -> Callable[..., dict[str, Any]]:
    """The ADSL row of the plain patient under the tables and settings of the test."""

    def build(study: Study | None = None, **tables: str) -> dict[str, Any]:
        [row] = rows(derived(study, completions=False, **tables), "adsl")
        return row

    return build


@pytest.fixture
def plain_each(
    derived: Warehouse, rows: Callable[..., list[dict[str, Any]]]
) -> Callable[..., list[dict[str, Any]]]:
    """The ADSL row (or those of another table) of the plain patient under each of many cases.

    Each case is the tables of one test of `plain`; its patient is in a center of its own,
    and one derivation does for all.
    """

    def build(
        cases: Iterable[dict[str, str]], study: Study | None = None, of: str = "adsl"
    ) -> list[dict[str, Any]]:
        tables: dict[str, list[Record]] = {}
        for number, case in enumerate(cases):
            for table, text in {**PLAIN, **case}.items():
                own = text.replace("MYE-DE01-", f"MYE-C{number:03}-")
                tables.setdefault(table, []).extend(records_of(own))
        drawn = {name: _drawn(found) for name, found in tables.items()}
        return rows(derived(study, completions=of != "adsl", **drawn), of)

    return build


def _drawn(records: list[Record]) -> str:
    names = list(dict.fromkeys(name for record in records for name in record))
    lines = [" | ".join(record.get(name) or "" for name in names) for record in records]
    return "\n".join([" | ".join(names), *lines])


@pytest.fixture
def clock(
    derived: Warehouse, rows: Callable[..., list[dict[str, Any]]]
) -> Callable[..., dict[str, Any]]:
    """One endpoint of the plain patient: its ADTTE row, or its exclusion."""

    def build(paramcd: str, study: Study | None = None, **tables: str) -> dict[str, Any]:
        con = derived(study, completions=paramcd[-1] in "EL", **tables)
        [row] = rows(con, "adtte", f"PARAMCD = '{paramcd}'") + rows(
            con, "exclusion", f"PARAMCD = '{paramcd}'"
        )
        return row

    return build
