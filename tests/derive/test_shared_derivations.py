"""A drawing that is derived among others has the rows that it has alone."""

import datetime as dt

import pytest

from tests.derive.by_hand import PLAIN, make_study
from tests.derive.rehearsal import SHARED, Derived, Drawing, Rehearsal, placed, select
from tests.derive.shared import derive_drawn

RESPONSE = """usubjid    | line_number | kind        | response_date | category
              MYE-DE01-A | 1           | ASSESSMENT  | 2023-07       | PR
              MYE-DE01-A | 1           | PROGRESSION | 2023-09-01    | PD"""
TOXICITY = """usubjid    | kind | grade | scale | onset_date
              MYE-DE01-A | CRS  | 2     | ASTCT | 2023-01-12"""
RISK = """usubjid    | timepoint   | iss | r_iss | ldh
          MYE-DE01-A | BEFORE_CART | III | II    | 150"""
LAB = """usubjid    | lab_date   | test    | value
         MYE-DE01-A | 2023-05-20 | M_SERUM | 30
         MYE-DE01-A | 2023-05-20 | M_URINE | 0
         MYE-DE01-A | 2023-07-01 | M_SERUM | 10
         MYE-DE01-A | 2023-07-01 | M_URINE | 0"""
TWO_CENTERS = {
    "subject": "usubjid | country\nMYE-ES02-A | ES\nMYE-DE01-B | DE",
    "infusion": "usubjid | infusion_number | product | infusion_date\n"
    "MYE-ES02-A | 1 | CILTA | 2023-01\nMYE-DE01-B | 1 | IDE | 2023-01-10",
    "relapse": "usubjid | relapse_number | relapse_date\n"
    "MYE-ES02-A | 1 | 2023-05-10\nMYE-DE01-B | 1 | 2023-05",
    "treatment_line": "usubjid | line_number | start_date | drugs\n"
    "MYE-ES02-A | 1 | 2023-06 | teclistamab\nMYE-ES02-A | 2 | 2023-08-01 | bortezomib\n"
    "MYE-DE01-B | 1 | 2023-06-01 | radiotherapy",
    "follow_up": "usubjid | last_contact_date | vital_status | death_date\n"
    "MYE-ES02-A | 2024-02 | DEAD | 2024-02\nMYE-DE01-B | 2023-12-01 | LOST |",
}
HELD = """usubjid    | held_table     | number | value | day
          MYE-DE01-A | treatment_line | 2      |       | 2023-07"""
PROGRESSIONS = "usubjid | line_number | day | day_precision\nMYE-DE01-A | 1 | 2023-08-01 | day"
STUDY = make_study(data_cut=dt.date(2024, 6, 30))
DRAWN = [
    Drawing(STUDY, PLAIN),
    Drawing(STUDY, {**PLAIN, "response": RESPONSE, "toxicity": TOXICITY, "risk": RISK}),
    Drawing(STUDY, {**PLAIN, **TWO_CENTERS}),
    Drawing(
        STUDY, {**PLAIN, "response": RESPONSE, "lab": LAB}, held=HELD, progressions=PROGRESSIONS
    ),
    Drawing(STUDY, {**PLAIN, "relapse": "usubjid | relapse_date"}, exported="2023-12-31"),
    Drawing(STUDY, {**PLAIN, "response": RESPONSE}, completions=False),
    Drawing(STUDY, {**PLAIN, "response": RESPONSE}, held=HELD, completions=False),
]


@pytest.fixture(scope="module")
def together():
    return derive_drawn(list(enumerate(DRAWN, start=1)))


@pytest.mark.parametrize("place", range(len(DRAWN)))
def test_a_drawing_among_others_has_the_rows_that_it_has_alone(together, place):
    drawing = DRAWN[place]
    alone = derive_drawn([(0, drawing)])
    shared = Derived(drawing, place + 1, together, Rehearsal(derive_drawn))
    for table in SHARED:
        expected = select(alone, table)
        names, rows = expected.description, expected.fetchall()
        found = select(shared, table)
        assert (found.description, found.fetchall()) == (names, rows), table


def test_the_drawings_fill_every_shared_table(together):
    for table in SHARED:
        assert together.execute(f"select count(*) from {placed(table)}").fetchone() != (0,), table
