"""The imputation macros on any partial date and any window."""

import datetime as dt
from calendar import monthrange
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SQL = Path(__file__).parents[2] / "warehouse" / "sql" / "analysis"
MACROS = ("macro_latest_day", "macro_imputed_flag", "macro_impute_mid", "macro_impute_first")

days = st.dates(dt.date(2015, 1, 1), dt.date(2025, 12, 31))
bounds = st.none() | days
precisions = st.sampled_from(["day", "month", "year"])


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    for name in MACROS:
        con.execute((SQL / f"{name}.sql").read_text(encoding="utf-8"))
    return con


def literal(day: dt.date | None) -> str:
    return f"date '{day}'" if day else "null::date"


def possible_days(day: dt.date, precision: str) -> tuple[dt.date, dt.date]:
    """First and last day that a partial date can be, by the calendar of Python."""
    if precision == "month":
        return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    if precision == "year":
        return dt.date(day.year, 1, 1), dt.date(day.year, 12, 31)
    return day, day


@settings(max_examples=150, deadline=None)
@given(day=days, precision=precisions, lower=bounds, upper=bounds)
def test_an_imputed_start_is_possible_and_inside_the_window_wherever_that_can_be(
    con, day, precision, lower, upper
):
    first, last = possible_days(day, precision)
    [(found, flag)] = con.execute(
        f"select impute_mid({literal(first)}, '{precision}', {literal(lower)}, {literal(upper)}),"
        f" imputed_flag({literal(first)}, '{precision}')"
    ).fetchall()
    assert first <= found <= last
    assert flag == {"day": None, "month": "D", "year": "M"}[precision]
    if lower and first <= lower <= last and precision != "day":
        assert found >= lower
    if (
        upper
        and first <= upper <= last
        and precision != "day"
        and (lower is None or lower <= upper)
    ):
        assert found <= upper
    middle = {"day": first, "month": first.replace(day=15), "year": first.replace(month=6, day=30)}
    if (lower is None or lower <= middle[precision]) and (
        upper is None or upper >= middle[precision]
    ):
        assert found == middle[precision]


@settings(max_examples=150, deadline=None)
@given(day=days, precision=precisions, lower=bounds)
def test_an_imputed_event_is_the_first_possible_day_that_is_not_before_the_bound(
    con, day, precision, lower
):
    first, last = possible_days(day, precision)
    [(found,)] = con.execute(
        f"select impute_first({literal(first)}, '{precision}', {literal(lower)})"
    ).fetchall()
    expected = first if precision == "day" or lower is None else min(max(first, lower), last)
    assert found == expected


def test_no_date_stays_no_date(con):
    [(mid, first, flag)] = con.execute(
        "select impute_mid(null::date, 'month', null::date, null::date),"
        " impute_first(null::date, 'month', date '2024-01-01'), imputed_flag(null::date, 'month')"
    ).fetchall()
    assert (mid, first, flag) == (None, None, None)
