"""Confirmation of reported categories: drawn courses against the plain reading, and cases by hand."""

from __future__ import annotations

import datetime as dt
import random

import polars as pl
import pytest

from tests.imwg.plain_reading import DEPTH, confirmed_progression, confirmed_response
from transforms.derive.imwg import confirm_reported

START = dt.date(2023, 3, 1)
BASES = ("SERUM", "URINE", "FLC", "MARROW", "IMAGING", "CLINICAL", "UNKNOWN", None)


def frame_of(rows):
    schema = {
        "patient_id": pl.String(),
        "line_number": pl.Int32(),
        "assessed_on": pl.Date(),
        "response_row_id": pl.Int64(),
        "category": pl.String(),
        "progression_basis": pl.String(),
        "next_line_on": pl.Date(),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def course(*categories, next_line_on=None, basis=None):
    days = [START + dt.timedelta(days=28 * number) for number in range(len(categories))]
    rows = [
        ("A", 1, day, number, category, basis if category == "PD" else None, next_line_on)
        for number, (day, category) in enumerate(zip(days, categories, strict=True))
    ]
    return confirm_reported(frame_of(rows))


def drawn_patient(rng, patient, first_row):
    """Rows of a first line and often of a second one, beside it or after it."""
    rows = []
    new_line = rng.choice((None, None, START + dt.timedelta(days=rng.choice((60, 75, 90)))))
    for line in (1, 2) if rng.random() < 0.6 else (1,):
        names = rng.choices(list(DEPTH), k=rng.randint(1, 8 if line == 1 else 4))
        start = START if line == 1 else START + dt.timedelta(days=rng.choice((45, 60, 80, 200)))
        for i, name in enumerate(names):
            day = start + dt.timedelta(days=30 * i)
            row = (f"P{patient}", line, day, first_row + len(rows), name, rng.choice(BASES))
            rows.append((*row, new_line if line == 1 else None))
    return rows


def test_drawn_courses_agree_with_the_plain_reading():
    rng = random.Random(6)
    rows, expected = [], {}
    for patient in range(3_000):
        drawn = drawn_patient(rng, patient, len(rows))
        rows += drawn
        for line in (1, 2):
            own = [row for row in drawn if row[1] == line]
            second = [(row[2], row[4]) for row in drawn if row[1] > line]
            held = None
            for i, (_, _, day, number, name, basis, new_line) in enumerate(own):
                later = [(row[2], row[4]) for row in own[i + 1 :]]
                if name == "PD":
                    standing, flag = confirmed_progression(
                        day, (basis or "",), later, new_line, second
                    )
                else:
                    standing, flag = confirmed_response(name, later, new_line)
                order = {**DEPTH, "PD": 8}
                held = standing if held is None or order[standing] > order[held] else held
                expected[number] = (
                    held,
                    flag,
                    "PD" not in [row[4] for row in own[:i]],
                    not (new_line and day > new_line),
                )
    found = confirm_reported(frame_of(rows).sample(fraction=1, shuffle=True, seed=1))
    columns = ["confirmed_category", "confirmation", "is_until_progression", "is_before_new_line"]
    have = {row[0]: row[1:] for row in found.select("response_row_id", *columns).rows()}
    assert have == expected


# Serum progression 60 days after the start, the next line ten days later.
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ((), ("SD", "U", None)),
        (((80, "PD"),), ("PD", "Y", 20)),
        (((75, "NE"), (90, "PD")), ("PD", "Y", 30)),
        # The next therapy works: nobody can say any more.
        (((80, "PR"), (110, "PD")), ("SD", "U", None)),
    ],
)
def test_a_serum_progression_may_be_confirmed_on_the_next_therapy(second, expected):
    day = {n: START + dt.timedelta(days=n) for n in range(200)}
    rows = [
        ("A", 1, day[30], 0, "SD", None, day[70]),
        ("A", 1, day[60], 1, "PD", "SERUM", day[70]),
    ]
    rows += [("A", 2, day[n], 2 + n, category, None, None) for n, category in second]
    found = confirm_reported(frame_of(rows)).row(1, named=True)
    days = ("confirmed_category", "confirmation", "confirmation_days")
    assert tuple(found[name] for name in days) == expected


def test_the_next_therapy_confirms_no_response():
    rows = [
        ("A", 1, START + dt.timedelta(days=30), 0, "PR", None, START + dt.timedelta(days=40)),
        ("A", 2, START + dt.timedelta(days=60), 1, "PR", None, None),
    ]
    found = confirm_reported(frame_of(rows)).row(0, named=True)
    assert (found["confirmed_category"], found["confirmation"]) == ("SD", "U")


@pytest.mark.parametrize(
    ("categories", "confirmed"),
    [
        (("sCR", "CR", "CR"), ["CR", "CR", "CR"]),
        (("CR", "NE", "CR", "PD"), ["CR", "CR", "CR", "CR"]),
        (("PR", "LTPR"), ["SD", "SD"]),
        (("PR", "PR", "PD", "PD", "PR"), ["PR", "PR", "PD", "PD", "PD"]),
    ],
)
def test_courses_by_hand(categories, confirmed):
    assert course(*categories)["confirmed_category"].to_list() == confirmed


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        ("IMAGING", ("PD", "Y")),
        ("SERUM", ("NE", "U")),
        ("UNKNOWN", ("NE", "U")),
        (None, ("NE", "U")),
    ],
)
def test_a_single_progression_stands_by_imaging_alone(basis, expected):
    found = course("PD", basis=basis)
    assert found.select("confirmed_category", "confirmation").row(0) == expected


def test_no_reports_give_no_rows():
    assert confirm_reported(frame_of([])).is_empty()
