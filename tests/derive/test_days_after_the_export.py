"""No imputed day lies after the export or the last contact, and none ends the follow-up before itself."""

import datetime as dt
import json
from types import SimpleNamespace

import duckdb
import pytest

from warehouse.export_days import read_export_days
from warehouse.staged_files import LinkedDelivery

RESPONSE = "usubjid | line_number | kind | response_date | category"
FOLLOW_UP = "usubjid | last_contact_date | vital_status | death_date"
EXPORTED = "2024-06-14"


def response(day, kind="ASSESSMENT", category="PR"):
    return f"{RESPONSE}\nMYE-DE01-A | 1 | {kind} | {day} | {category}"


def follow_up(contact, status="ALIVE", death=""):
    return f"{FOLLOW_UP}\nMYE-DE01-A | {contact} | {status} | {death}"


@pytest.fixture
def told(derived, rows):
    """Date, days and CNSR by endpoint (or the reason for no time), and the row of adsl."""

    def build(exported=EXPORTED, **tables):
        con = derived(exported=exported, **tables)
        times = {r["PARAMCD"]: (r["ADT"], r["AVAL"], r["CNSR"]) for r in rows(con, "adtte")}
        times |= {r["PARAMCD"]: r["reason"] for r in rows(con, "exclusion")}
        [row] = rows(con, "adsl")
        return times, row

    return build


# Salvage on 2023-06-01: 2024-06-10 is day 376, 2024-06-14 day 380.
def test_a_response_of_the_month_of_the_last_contact_is_not_after_it(told):
    times, row = told(response=response("2024-06"), follow_up=follow_up("2024-06-10"))
    assert times["TTRSP"] == ("2024-06-10", 376, 0)
    assert times["RSD"] == ("2024-06-10", 1, 1)
    assert times["OS"] == ("2024-06-10", 376, 1)
    assert (row["LSTALVDT"], row["LSTALDTF"]) == ("2024-06-10", None)


def test_a_response_after_the_last_contact_is_a_day_alive_and_not_after_the_export(told):
    times, row = told(response=response("2024-06"), follow_up=follow_up("2024-05-20"))
    assert times["TTRSP"] == ("2024-06-14", 380, 0)
    assert times["RSD"] == ("2024-06-14", 1, 1)
    assert times["OS"] == ("2024-06-14", 380, 1)
    assert (row["LSTALVDT"], row["LSTALDTF"], row["LSTALSRC"]) == ("2024-06-14", "D", "RESPONSE")
    # Without a known day of export, the middle of the month.
    times, row = told(exported="", response=response("2024-06"), follow_up=follow_up("2024-05-20"))
    assert (times["TTRSP"], row["LSTALVDT"]) == (("2024-06-15", 381, 0), "2024-06-15")


@pytest.mark.parametrize("contact", ["2024-06", "2024"])
def test_a_last_contact_known_in_part_is_followed_to_the_export_at_most(told, contact):
    times, _ = told(follow_up=follow_up(contact))
    first = {"2024-06": ("2024-06-01", 367, 1), "2024": ("2024-01-01", 215, 1)}[contact]
    assert (times["OS"], times["OSE"], times["OSL"]) == (first, first, ("2024-06-14", 380, 1))


def test_a_death_of_the_month_of_the_export_is_not_after_it(told):
    times, _ = told(follow_up=follow_up("2024-05-20", "DEAD", "2024-06"))
    assert times["OS"] == ("2024-06-01", 367, 0)
    assert times["OSL"] == ("2024-06-14", 380, 0)


def test_a_progression_of_the_month_of_the_export_is_not_after_it(told):
    times, _ = told(
        response=response("2024-06", "PROGRESSION", "PD"), follow_up=follow_up("2024-05-20")
    )
    assert (times["PFS"], times["PFSL"]) == (("2024-06-01", 367, 0), ("2024-06-14", 380, 0))
    relapse = """usubjid    | relapse_number | relapse_date
                 MYE-DE01-A | 1              | 2023-05-10
                 MYE-DE01-A | 2              | 2024-06"""
    times, _ = told(relapse=relapse, follow_up=follow_up("2024-05-20"))
    assert (times["PFS"], times["PFSL"]) == (("2024-06-01", 367, 0), ("2024-06-14", 380, 0))


def test_a_line_of_the_month_of_the_export_is_not_after_it_and_a_day_alive(told):
    lines = """usubjid    | line_number | start_date | drugs
               MYE-DE01-A | 1           | 2023-06-01 | talquetamab
               MYE-DE01-A | 2           | 2024-06    | bortezomib"""
    times, row = told(treatment_line=lines, follow_up=follow_up("2024-05-20"))
    assert times["TTNT"] == times["TTNTL"] == ("2024-06-14", 380, 0)
    assert times["OS"] == ("2024-06-14", 380, 1)
    assert (row["NACTDT"], row["LSTALVDT"]) == ("2024-06-14", "2024-06-14")


def test_a_response_known_by_year_only_is_no_day_alive(told):
    times, row = told(response=response("2024"), follow_up=follow_up("2023-12-20"))
    assert (row["LSTALVDT"], times["OS"]) == ("2024-01-01", ("2024-01-01", 215, 1))


def test_complete_dates_stay_where_they_are(told):
    times, row = told(response=response("2024-06-12"), follow_up=follow_up("2024-06-10"))
    assert (times["TTRSP"], row["LSTALVDT"]) == (("2024-06-12", 378, 0), "2024-06-12")


def test_the_day_of_the_export_is_the_last_one_of_the_deliveries_in_force(tmp_path):
    told = [
        ("DE01", True, {"export_date": "2024-05-01", "dates_shifted": False}),
        ("DE01", True, {"export_date": "2024-06-14", "dates_shifted": False}),
        ("DE01", False, {"export_date": "2024-07-01", "dates_shifted": False}),
        # Shifted days are no days of the calendar; what an old delivery does not say is not known.
        ("ES01", True, {"export_date": "2024-06-14", "dates_shifted": True}),
        ("US01", True, {"export_date": "2024-06-14"}),
    ]
    deliveries = []
    for number, (center, current, summary) in enumerate(told):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
        staged = SimpleNamespace(current=current, center_id=center)
        deliveries.append(LinkedDelivery(number, staged, folder))
    con = duckdb.connect()
    read_export_days(con, deliveries)
    assert con.execute("from export_day").fetchall() == [("DE01", dt.date(2024, 6, 14))]
