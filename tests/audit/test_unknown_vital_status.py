"""A subject whose vital status is not known is censored: neither a death nor a reason to stop."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

SQL = Path(__file__).parents[2] / "expectations" / "sql" / "deaths.sql"


@pytest.mark.parametrize(
    ("flag", "censored", "bad"),
    [("Y", 0, 0), ("N", 1, 0), (None, 2, 0), (None, 0, 1), ("Y", 1, 1), ("N", 0, 1)],
)
def test_an_event_of_survival_is_a_known_death_and_nothing_else(
    flag: str | None, censored: int, bad: int
) -> None:
    with duckdb.connect() as con:
        con.execute("create schema analysis")
        con.execute(
            "create table analysis.adsl as"
            " select '1' as usubjid, ?::varchar as DTHFL, date '2024-03-01' as DTHDT",
            [flag],
        )
        con.execute(
            "create table analysis.adtte as select '1' as usubjid, 'OS' as PARAMCD, ?::int as CNSR,"
            " date '2024-03-01' as ADT, 'Alive' as CNSDTDSC",
            [censored],
        )
        (row,) = con.execute(SQL.read_text(encoding="utf-8")).fetchall()
    assert row[2:] == (bad, bad > 0)
