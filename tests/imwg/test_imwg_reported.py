"""Confirmation of reported categories: drawn courses against the plain reading, and cases by hand."""

from __future__ import annotations

import datetime as dt
import random

import polars as pl
import pytest

from tests.imwg.plain_reading import DEPTH, confirmation
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


def test_drawn_courses_agree_with_the_plain_reading():
    rng = random.Random(6)
    rows, expected = [], {}
    for patient in range(3_000):
        names = rng.choices(list(DEPTH), k=rng.randint(1, 8))
        days = [START + dt.timedelta(days=30 * i) for i in range(len(names))]
        new_line = rng.choice((None, None, START + dt.timedelta(days=rng.choice((60, 75, 90)))))
        bases = [rng.choice(BASES) for _ in names]
        held = None
        for i, name in enumerate(names):
            number = len(rows)
            rows.append((f"P{patient}", 1, days[i], number, name, bases[i], new_line))
            later = next((j for j in range(i + 1, len(names)) if names[j] != "NE"), None)
            basis = (bases[i] or "",) if name == "PD" else ()
            standing, flag = confirmation(name, basis, names, days, later, new_line)
            order = {**DEPTH, "PD": 8}
            held = standing if held is None or order[standing] > order[held] else held
            expected[number] = (
                held,
                flag,
                "PD" not in names[:i],
                not (new_line and days[i] > new_line),
            )
    found = confirm_reported(frame_of(rows).sample(fraction=1, shuffle=True, seed=1))
    columns = ["confirmed_category", "confirmation", "is_until_progression", "is_before_new_line"]
    have = {row[0]: row[1:] for row in found.select("response_row_id", *columns).rows()}
    assert have == expected


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
