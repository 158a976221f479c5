"""A staged warehouse by hand: tables of `core` drawn in the test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.spec.study import Study
from tests.derive.by_hand import PLAIN, Record, make_study, records_of
from tests.derive.rehearsal import Derived, select
from tests.derive.shared import derive_tables, rehearse_before

Warehouse = Callable[..., Derived | duckdb.DuckDBPyConnection]


def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Tests of a file that ask for derivations get them together."""
    rehearse_before(item, Path(__file__).parent)


@pytest.fixture
def derived() -> Warehouse:
    """Core tables drawn in the test → schema `analysis` derived: see `derive_tables`."""
    return derive_tables


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
        result = select(con, table, where)
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
