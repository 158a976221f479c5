"""Which settings find the same salvage lines, told without finding them, against finding them."""

import datetime as dt

import polars as pl
import pytest

from tests.derive.by_hand import make_study
from transforms.derive.lines import find_first_salvage, finds_the_same, salvage_sequence
from warehouse.alternatives import OF_LINES, other_values

OWN = make_study().settings
OTHERS = [(name, value) for name, value in other_values(OWN) if name in OF_LINES]
NO_PROGRESSION = pl.DataFrame(schema={"patient_id": pl.String, "progression_date": pl.Date})
# Lines of a patient: day after 2023-06-01, drugs. Under which settings they are others.
CASES = {
    "one bispecific": ([(0, "talquetamab")], set()),
    "two bispecifics in one line": (
        [(0, "talquetamab|teclistamab")],
        {("dual_bispecific", "TALQ"), ("dual_bispecific", "TEC")},
    ),
    "two bispecifics in two lines": (
        [(0, "talquetamab"), (10, "teclistamab")],
        {("dual_bispecific", "TALQ"), ("dual_bispecific", "TEC")},
    ),
    "a CELMoD alone": ([(0, "iberdomide|dexamethasone")], {("celmod_group", "OTHER")}),
    "a novel partner in a later line": (
        [(0, "talquetamab"), (90, "bortezomib|selinexor")],
        {("novel_partner_group", "OTHER")},
    ),
    "a bridge of 14 days": ([(0, "radiotherapy"), (14, "teclistamab")], {("bridge_days", 0)}),
    "a bridge of 30 days": (
        [(0, "radiotherapy"), (30, "teclistamab")],
        {("bridge_days", 0), ("bridge_days", 14)},
    ),
    "31 days": ([(0, "radiotherapy"), (31, "teclistamab")], {("bridge_days", 60)}),
    "61 days": ([(0, "radiotherapy"), (61, "teclistamab")], set()),
    "a bridge after the systemic line": ([(0, "teclistamab"), (14, "radiotherapy")], set()),
    "supportive care before": ([(0, "denosumab"), (14, "teclistamab")], set()),
    "a drug that nobody knows": ([(0, "no_such_drug")], set()),
    "no line": ([], set()),
}


def lines_of(rows):
    start = dt.date(2023, 6, 1)
    return pl.DataFrame(
        [
            ("A", number, start + dt.timedelta(days=day), None, None, drugs, None)
            for number, (day, drugs) in enumerate(rows, start=1)
        ],
        schema={
            "usubjid": pl.String,
            "line_number": pl.Int32,
            "start_date": pl.Date,
            "start_flag": pl.String,
            "end_date": pl.Date,
            "drugs": pl.String,
            "bridge_start_date": pl.Date,
        },
        orient="row",
    )


def found(lines, settings):
    first = find_first_salvage(lines, NO_PROGRESSION, settings)
    return first, salvage_sequence(lines, first, settings)


@pytest.mark.parametrize("case", CASES)
def test_settings_find_the_same_lines_exactly_where_finding_them_gives_the_same(case):
    rows, expected = CASES[case]
    lines = lines_of(rows)
    first, sequence = found(lines, OWN)
    differing = set()
    for name, value in OTHERS:
        other = OWN.model_copy(update={name: value})
        other_first, other_sequence = found(lines, other)
        is_same = first.equals(other_first) and sequence.equals(other_sequence)
        assert finds_the_same(lines, first, OWN, other) == is_same, (name, value)
        if not is_same:
            differing.add((name, value))
    assert differing == expected
