"""What happened after the data cut is not counted, in adsl and adrs no less than in the times."""

import datetime as dt

import pytest

RESPONSE = """usubjid    | line_number | kind | response_date | category
              MYE-DE01-A | 1           | {} | {} | {}"""


@pytest.fixture
def at_cut(derived, rows, study_with):
    """The row of adsl, adrs by parameter, and the times, with the data cut on 2023-09-01."""

    def build(**tables):
        con = derived(study_with(data_cut=dt.date(2023, 9, 1)), **tables)
        [row] = rows(con, "adsl")
        adrs = {r["PARAMCD"]: (r["AVALC"], r["ADT"]) for r in rows(con, "adrs")}
        times = {r["PARAMCD"]: (r["ADT"], r["CNSR"]) for r in rows(con, "adtte")}
        return row, adrs, times

    return build


@pytest.mark.parametrize("kind", ["BEST", "ASSESSMENT"])
def test_a_response_after_the_cut_is_none_yet(at_cut, kind):
    row, adrs, times = at_cut(response=RESPONSE.format(kind, "2023-09-02", "CR"))
    assert (row["BESTRESP"], row["RESPFL"], row["BESTRSRC"]) == ("LTPR", "N", "MISSING")
    assert (adrs["BOR"], adrs["RSP"]) == (("MISSING", None), ("N", None))
    assert "OVR" not in adrs
    assert times["TTRSP"] == ("2023-09-01", 1)
    row, adrs, times = at_cut(response=RESPONSE.format(kind, "2023-09-01", "CR"))
    assert (row["BESTRESP"], adrs["RSP"]) == ("CR", ("Y", "2023-09-01"))
    assert times["TTRSP"] == ("2023-09-01", 0)


def test_a_response_is_not_confirmed_by_one_after_the_cut(derived, rows, study_with):
    seen = RESPONSE.format("ASSESSMENT", "2023-08-01", "PR") + (
        "\nMYE-DE01-A | 1 | ASSESSMENT | {} | PR"
    )
    flags = []
    for day in ("2023-09-01", "2023-09-02"):
        con = derived(study_with(data_cut=dt.date(2023, 9, 1)), response=seen.format(day))
        [row] = rows(con, "adrs", "PARAMCD = 'COVR' and ADT = date '2023-08-01'")
        flags.append(row["CONFDY"])
    assert flags == [31, None]


def test_a_progression_after_the_cut_is_none_yet(at_cut):
    _, adrs, times = at_cut(response=RESPONSE.format("PROGRESSION", "2023-09-02", "PD"))
    assert adrs["PD"] == ("N", None)
    assert times["PFS"] == ("2023-09-01", 1)


def test_a_death_after_the_cut_is_none_yet(at_cut):
    dead = """usubjid    | last_contact_date | vital_status | death_date | death_cause
              MYE-DE01-A | {0}               | DEAD         | {0}        | MYELOMA"""
    row, _, times = at_cut(follow_up=dead.format("2023-09-02"))
    assert [row[name] for name in ("DTHFL", "DTHDT", "DTHCAUS", "LSTALVDT", "VITSTAT")] == [
        "N", None, None, "2023-09-01", "ALIVE",
    ]  # fmt: skip
    assert times["OS"] == ("2023-09-01", 1)
    row, _, times = at_cut(follow_up=dead.format("2023-09-01"))
    assert (row["DTHFL"], row["DTHDT"], times["OS"]) == ("Y", "2023-09-01", ("2023-09-01", 0))


def test_a_line_after_the_cut_is_none_yet(at_cut):
    lines = """usubjid    | line_number | start_date | drugs
               MYE-DE01-A | 1           | 2023-06-01 | talquetamab
               MYE-DE01-A | 2           | {}         | bortezomib"""
    row, _, times = at_cut(treatment_line=lines.format("2023-09-02"))
    assert (row["SUBSQFL"], row["NSALV"], row["NACTDT"]) == ("N", 1, None)
    assert times["TTNT"] == ("2023-09-01", 1)
    row, _, times = at_cut(treatment_line=lines.format("2023-09-01"))
    assert (row["SUBSQFL"], row["NSALV"], row["NACTDT"]) == ("Y", 2, "2023-09-01")


def test_a_toxicity_of_the_salvage_after_the_cut_is_none_yet(at_cut):
    seen = """usubjid    | kind | grade | scale     | onset_date
              MYE-DE01-A | CRS  | 2     | ASTCT2019 | {}"""
    assert at_cut(toxicity=seen.format("2023-09-02"))[0]["CRSSLVGR"] is None
    assert at_cut(toxicity=seen.format("2023-09-01"))[0]["CRSSLVGR"] == 2
