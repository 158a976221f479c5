"""Confirmation by the next assessment, by hand."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from transforms.derive.imwg import derive_response

START = dt.date(2023, 3, 1)
# Serum M-protein that gives the category, from 80 g/L at baseline; below 5 g/L nothing progresses.
VALUE = {"VGPR": 2.0, "PR": 40.0, "MR": 60.0, "SD": 80.0, "NE": None}


def line(*values, days=28, next_line_on=None, basis=None):
    """Rows after the baseline; values are categories or numbers in g/L."""
    numbers = [VALUE[v] if isinstance(v, str) else v for v in values]
    frame = pl.DataFrame(
        {
            "patient_id": "A",
            "line_number": 1,
            "assessed_on": [START + dt.timedelta(days=days * i) for i in range(len(values) + 1)],
            "line_start": START,
            "next_line_on": next_line_on,
            "m_serum": [80.0, *numbers],
            "m_urine": 0.0,
            "progression_basis": [None] * len(values) + [basis],
        },
        schema_overrides={"next_line_on": pl.Date(), "m_serum": pl.Float64()},
    )
    return derive_response(frame)


def after(derived, *columns):
    return derived.assessments.select(columns).rows()[1:]


@pytest.mark.parametrize(
    ("values", "confirmed", "flags"),
    [
        (("PR", "PR"), ["PR", "PR"], ["Y", "U"]),
        (("PR", "VGPR"), ["PR", "PR"], ["Y", "U"]),
        (("PR", "VGPR", "VGPR"), ["PR", "VGPR", "VGPR"], ["Y", "Y", "U"]),
        (("PR", "NE", "PR"), ["PR", "PR", "PR"], ["Y", None, "U"]),
        (("NE", "SD"), ["NE", "SD"], [None, None]),
        (("MR", 65.0), ["SD", "SD"], ["N", None]),
        (("PR",), ["SD"], ["U"]),
        ((2.0, 4.0, 4.0), ["VGPR", "VGPR", "VGPR"], ["Y", "Y", "U"]),
        ((2.0, 12.0), ["SD", "SD"], ["N", "U"]),
        ((2.0, 12.0, 13.0), ["SD", "PD", "PD"], ["N", "Y", "U"]),
        ((2.0, 2.0, 12.0, 2.0), ["VGPR", "VGPR", "VGPR", "VGPR"], ["Y", "N", "N", "U"]),
    ],
)
def test_the_next_evaluable_assessment_confirms(values, confirmed, flags):
    rows = after(line(*values), "confirmed_category", "confirmation")
    assert [row[0] for row in rows] == confirmed
    assert [row[1] for row in rows] == flags


def test_a_shallower_next_assessment_leaves_its_own_category():
    rows = after(line("PR", 41.0, 41.0), "category", "confirmed_category", "confirmation")
    assert rows == [("PR", "MR", "N"), ("MR", "MR", "Y"), ("MR", "MR", "U")]


def test_progression_on_imaging_needs_no_second_one():
    rows = after(
        line("PR", "PR", basis="IMAGING"), "category", "confirmed_category", "confirmation"
    )
    assert rows == [("PR", "SD", "N"), ("PD", "PD", "Y")]


def test_an_assessment_after_the_next_line_confirms_no_response():
    derived = line("PR", "PR", next_line_on=START + dt.timedelta(days=40))
    assert after(derived, "confirmed_category", "confirmation")[0] == ("SD", "U")
    assert derived.lines.select("best", "best_confirmed").rows() == [("PR", "SD")]


def test_an_assessment_on_the_day_of_the_next_line_still_confirms():
    derived = line("PR", "PR", next_line_on=START + dt.timedelta(days=56))
    assert after(derived, "confirmed_category")[0] == ("PR",)


# First line: baseline 80 g/L, 2 g/L on day 28, 12 g/L on day 56. The second starts on day 60 from 12 g/L.
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ([24.0], ("PD", "Y", 28)),
        ([None, 24.0], ("PD", "Y", 56)),
        ([12.0, 24.0], ("SD", "U", None)),
        ([], ("SD", "U", None)),
    ],
)
def test_serum_progression_may_be_confirmed_on_the_next_therapy(second, expected):
    day = [START + dt.timedelta(days=n) for n in range(200)]
    first = [(1, day[0], 80.0), (1, day[28], 2.0), (1, day[56], 12.0)]
    then = [(2, day[60], 12.0)] + [(2, day[84 + 28 * i], v) for i, v in enumerate(second)]
    frame = pl.DataFrame(
        [("A", *row) for row in first + then],
        schema={
            "patient_id": pl.String,
            "line_number": pl.Int32,
            "assessed_on": pl.Date,
            "m_serum": pl.Float64,
        },
        orient="row",
    ).with_columns(
        m_urine=0.0,
        line_start=pl.when(pl.col("line_number") == 1).then(day[0]).otherwise(day[60]),
        next_line_on=pl.when(pl.col("line_number") == 1).then(day[60]),
    )
    derived = derive_response(frame)
    found = derived.assessments.row(2, named=True)
    assert found["category"] == "PD"
    names = ("confirmed_category", "confirmation", "confirmation_days")
    assert tuple(found[name] for name in names) == expected
    confirmed = derived.lines.row(0, named=True)["confirmed_pd_on"]
    assert confirmed == (day[56] if expected[0] == "PD" else None)


@pytest.mark.parametrize(("days", "warning"), [(84, None), (85, "CONFIRMED_LATE")])
def test_a_confirmation_after_more_than_84_days_is_marked(days, warning):
    rows = after(line("PR", "PR", days=days), "confirmation_days", "warning")
    assert rows[0] == (days, warning)


def test_the_third_not_evaluable_assessment_in_a_row_is_marked():
    rows = after(line("NE", "NE", "NE", "PR"), "warning")
    assert [row[0] for row in rows] == [None, None, "NOT_EVALUABLE_RUN", None]


def test_the_best_response_is_the_deepest_until_progression():
    derived = line("PR", "VGPR", 12.0, 1.0)
    assert after(derived, "category") == [("PR",), ("VGPR",), ("PD",), ("VGPR",)]
    [row] = derived.lines.rows(named=True)
    assert (row["best"], row["best_on"]) == ("VGPR", START + dt.timedelta(days=56))
    assert (row["pd_on"], row["confirmed_pd_on"]) == (START + dt.timedelta(days=84), None)


def test_not_evaluable_is_never_the_best_of_anything_else():
    assert line("NE", "SD").lines["best"].to_list() == ["SD"]
    assert line("NE").lines["best"].to_list() == ["NE"]
    assert line("NE", 120.0).lines["best"].to_list() == ["PD"]
