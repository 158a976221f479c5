"""Every assessment of thousands of drawn lines: production against the plain reading."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import polars as pl
import pytest

from tests.imwg.drawn_series import draw_lines
from tests.imwg.plain_reading import Line, best
from transforms.derive.imwg import derive_response, load_criteria


def as_frame(lines):
    return pl.DataFrame([row for line in lines for row in line], infer_schema_length=None)


def line_key(rows):
    return rows[0]["patient_id"], rows[0]["line_number"]


def same_numbers(row, numbers):
    """Baseline, value, nadir, change and rise are those of the plain reading."""
    base, value, nadir = numbers
    change = None if not base or base < 0 or value is None else 100 * (value - base) / base
    rise = None if value is None or nadir is None else value - nadir
    names = ("baseline_value", "value", "nadir", "change_percent", "rise")
    for name, wanted in zip(names, (base, value, nadir, change, rise), strict=True):
        if (row[name] is None) != (wanted is None):
            return False
        if wanted is not None and abs(row[name] - float(wanted)) > 1e-6:
            return False
    return True


def disagreements(lines, relapsed=True, confirmed_nadir=False):
    criteria = load_criteria()
    if confirmed_nadir:
        criteria = replace(criteria, nadir="lowest_confirmed")
    derived = derive_response(as_frame(lines), criteria, relapsed=relapsed)
    have = {
        (row["patient_id"], row["line_number"], row["assessed_on"]): row
        for row in derived.assessments.iter_rows(named=True)
    }
    have_lines = {
        (row["patient_id"], row["line_number"]): row for row in derived.lines.iter_rows(named=True)
    }
    wrong, met = [], Counter()
    plain = {line_key(rows): Line(rows, relapsed, confirmed_nadir) for rows in lines}
    for rows in lines:
        key = line_key(rows)
        line = plain[key]
        # A drawn patient has at most one line after this one.
        later = plain.get((key[0], key[1] + 1))
        read = line.read(later.named() if later else ())
        for expected in read:
            row = have[(*key, expected["on"])]
            met[expected["category"]] += 1
            met[line.kind] += 1
            found = (row["kind"], row["category"], row["pd_basis"])
            found += (row["confirmed_category"], row["confirmation"])
            wanted = (line.kind, expected["category"], expected["pd_basis"])
            wanted += (expected["confirmed"], expected["confirmation"])
            if found != wanted:
                wrong.append((key, expected["on"], wanted, found))
        for i, expected in enumerate(read):
            row = have[(*key, expected["on"])]
            if row["measure"] and not same_numbers(row, line.numbers(i)[row["measure"]]):
                wrong.append((key, expected["on"], "numbers"))
        for row in line.before:
            if have[(*key, row["assessed_on"])]["category"] is not None:
                wrong.append((key, row["assessed_on"], "baseline"))
        summary = have_lines.pop(key, None)
        if read:
            assert summary is not None
            found = (summary["n_assessments"], summary["best"], summary["best_confirmed"])
            if found != (len(read), *best(read, rows[0]["next_line_on"])):
                wrong.append((key, found, best(read, rows[0]["next_line_on"])))
    assert not have_lines
    return wrong, met


def test_every_assessment_of_ten_thousand_lines_agrees_with_the_plain_reading():
    wrong, met = disagreements(draw_lines(seed=2016, count=10_500))
    assert wrong == []
    for category in ("sCR", "CR", "VGPR", "PR", "MR", "SD", "PD", "NE"):
        assert met[category] > 300, category
    for kind in ("SERUM", "URINE", "SERUM_URINE", "FLC", "MARROW", "NONE", "UNKNOWN"):
        assert met[kind] > 1000, kind


@pytest.mark.parametrize(
    ("relapsed", "confirmed_nadir"), [(False, False), (True, True)], ids=["first line", "nadir"]
)
def test_the_other_readings_of_the_criteria_agree_too(relapsed, confirmed_nadir):
    wrong, met = disagreements(draw_lines(seed=7, count=1_500), relapsed, confirmed_nadir)
    assert wrong == []
    assert (met["MR"] > 0) == relapsed


def test_the_two_readings_of_the_nadir_differ_where_a_low_value_was_not_repeated():
    lines = draw_lines(seed=11, count=1_000)
    lowest = derive_response(as_frame(lines)).assessments
    confirmed = replace(load_criteria(), nadir="lowest_confirmed")
    later = derive_response(as_frame(lines), confirmed).assessments
    assert (later["category"] == "PD").sum() < (lowest["category"] == "PD").sum()


def test_the_order_of_the_rows_does_not_matter():
    frame = as_frame(draw_lines(seed=3, count=500))
    shuffled = frame.sample(fraction=1, shuffle=True, seed=5)
    keys = ["patient_id", "line_number", "assessed_on"]
    straight, mixed = derive_response(frame), derive_response(shuffled)
    assert straight.assessments.sort(keys).equals(mixed.assessments.sort(keys))
    assert straight.lines.sort(keys[:2]).equals(mixed.lines.sort(keys[:2]))
    assert mixed.assessments.select(keys).equals(
        shuffled.select(pl.col(key).cast(straight.assessments.schema[key]) for key in keys)
    )


def test_a_patient_alone_is_judged_as_among_others():
    lines = draw_lines(seed=4, count=20)
    together = derive_response(as_frame(lines)).assessments
    patients = [lines[first : first + 2] for first in range(0, len(lines), 2)]
    alone = pl.concat(derive_response(as_frame(patient)).assessments for patient in patients)
    assert together.equals(alone)
