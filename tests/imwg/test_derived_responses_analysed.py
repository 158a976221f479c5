"""Setting response_analysed: derived. What measurements tell is analysed, the rest is not known."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.derive.by_hand import make_study
from tests.derive.rehearsal import select

P = "MYE-DE01-A"
LAB = "usubjid | lab_date | test | value"
REPORT = "usubjid | line_number | kind | response_date | category"
BASELINE = ("2023-05-20 | M_SERUM | 40", "2023-05-20 | M_URINE | 0")


def at(day, serum):
    return (f"{day} | M_SERUM | {serum}", f"{day} | M_URINE | 0")


def drawn(header, *rows):
    return "\n".join([header, *(f"{P} | {row}" for row in rows)])


@pytest.fixture
def build(derived):
    """The plain patient with these laboratory values and reports, derived responses analysed."""

    def make(lab=(), response=(), analysed="derived", settings=None):
        tables = {"lab": drawn(LAB, *lab), "response": drawn(REPORT, *response)}
        study = make_study(response_analysed=analysed, **(settings or {}))
        return derived(study, **{name: text for name, text in tables.items() if "\n" in text})

    return make


def read(con, columns, table, where="true"):
    return select(con, table, where, columns).fetchall()


def test_the_derived_category_is_analysed_and_the_reported_one_is_not(build):
    given = {
        "lab": (*BASELINE, *at("2023-07-01", 3), *at("2023-08-01", 3)),
        "response": ("1 | BEST | 2023-07-01 | SD",),
    }
    columns = "BESTRESP, BESTRSRC, RESPFL, CRFL"
    assert read(build(**given), columns, "adsl") == [("VGPR", "DERIVED", "Y", "N")]
    reported = build(**given, analysed="reported")
    assert read(reported, columns, "adsl") == [("LTPR", "REPORTED", "N", "N")]


@pytest.mark.parametrize("counts", [True, False])
def test_what_cannot_be_derived_is_unknown_and_never_the_report(build, counts):
    con = build(
        response=("1 | BEST | 2023-07-01 | CR", "1 | ASSESSMENT | 2023-07-01 | CR"),
        settings={"ne_counts_as_nonresponder": counts},
    )
    assert read(con, "BESTRESP, BESTRSRC, RESPFL", "adsl") == [(None, "NOT_DERIVED", None)]
    assert read(con, "PARAMCD, reason", "exclusion") == [
        (parameter, "RESPONSE_NOT_DERIVED") for parameter in ("TTRSP", "TTRSPE", "TTRSPL")
    ]
    assert read(con, "count(*)", "adtte", "PARAMCD in ('RSD', 'RSDR', 'TTRSP')") == [(0,)]
    assert read(con, "AVALC, AVAL", "adrs", "PARAMCD = 'RSP'") == [(None, None)]


def test_a_category_that_is_not_evaluable_is_not_derived(build):
    con = build(lab=("2023-07-01 | M_SERUM | 3",))
    assert read(con, "BESTRESP, BESTRSRC, BESTRSPO", "adsl") == [(None, "NOT_DERIVED", "NE")]


def test_progression_after_a_day_that_could_not_be_evaluated_tells_no_best_response(build):
    unknown = ("2023-07-01 | M_SERUM | 3",)  # no baseline
    later = ("2023-09-01 | M_SERUM | 20",)
    assert read(build(lab=(*unknown, *later)), "BESTRESP, BESTRSRC", "adsl") == [
        (None, "NOT_DERIVED")
    ]
    at_once = build(lab=(*BASELINE, *at("2023-07-01", 60)))
    assert read(at_once, "BESTRESP, BESTRSRC, BESTRSPO", "adsl") == [("LTPR", "DERIVED", "PD")]


def test_response_starts_with_the_first_derived_response_and_ends_with_the_reported_progression(
    build,
):
    con = build(
        lab=(*BASELINE, *at("2023-07-01", 19), *at("2023-08-01", 3)),
        response=(
            "1 | ASSESSMENT | 2023-06-20 | PR",
            "1 | PROGRESSION | 2023-11-01 | PD",
        ),
    )
    columns = "STARTDT, ADT, CNSR, STARTSRC"
    assert read(con, columns, "adtte", "PARAMCD = 'RSD'") == [
        (dt.date(2023, 7, 1), dt.date(2023, 11, 1), 0, "DERIVED")
    ]
    columns = "ADT, CNSR, SRCDOM, SRCVAR"
    assert read(con, columns, "adtte", "PARAMCD = 'TTRSP'") == [
        (dt.date(2023, 7, 1), 0, "IMWG_RESPONSE", "assessed_on")
    ]


def test_a_derived_response_after_a_derived_progression_does_not_count_unless_any_time_does(build):
    lab = (*BASELINE, *at("2023-07-01", 19), *at("2023-08-01", 30), *at("2023-09-01", 3))
    assert read(build(lab=lab), "BESTRESP", "adsl") == [("PR",)]
    later = build(lab=lab, settings={"best_response_window": "any_time"})
    assert read(later, "BESTRESP", "adsl") == [("VGPR",)]


def test_progression_free_survival_ends_with_what_was_reported(build):
    con = build(lab=(*BASELINE, *at("2023-07-01", 60)))
    assert read(con, "CNSR", "adtte", "PARAMCD = 'PFS'") == [(1,)]
    assert read(con, "AVALC, PARCAT1", "adrs", "PARAMCD = 'PD'") == [("N", "Investigator")]
    assert read(con, "AVALC, PARCAT1, PDBASIS", "adrs", "PARAMCD = 'OVR'") == [
        ("PD", "Derived from measurements", "SERUM")
    ]


def test_derived_responses_are_confirmed_by_the_next_derived_one(build):
    con = build(
        lab=(*BASELINE, *at("2023-07-01", 19), *at("2023-08-01", 3)),
        response=("1 | ASSESSMENT | 2023-07-01 | CR",),
    )
    columns = "PARAMCD, ADT, AVALC, CONFFL, SRCDOM"
    july, august = dt.date(2023, 7, 1), dt.date(2023, 8, 1)
    assert read(con, columns, "adrs", "PARAMCD in ('COVR', 'BOR', 'CBOR')") == [
        ("BOR", august, "VGPR", None, "IMWG_RESPONSE"),
        ("CBOR", july, "PR", "Y", "IMWG_RESPONSE"),
        ("COVR", july, "PR", "Y", "IMWG_RESPONSE"),
        ("COVR", august, "PR", "U", "IMWG_RESPONSE"),
    ]


def test_both_completions_of_partial_dates_rest_on_derived_responses_too(build):
    con = build(
        lab=(*BASELINE, *at("2023-07-01", 3)),
        response=("1 | PROGRESSION | 2023-11 | PD",),
    )
    assert read(
        con, "ANALYSIS, STARTDT, ADT", "adtte", "PARAMCD like 'RSD_' and PARAMCD != 'RSDR'"
    ) == [
        ("EARLIEST", dt.date(2023, 7, 1), dt.date(2023, 11, 1)),
        ("LATEST", dt.date(2023, 7, 1), dt.date(2023, 11, 30)),
    ]
