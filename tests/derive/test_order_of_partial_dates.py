"""Imputed days keep every order that the partial dates allow: start, response, progression, next line."""

import pytest

RESPONSE = "usubjid | line_number | kind | response_date | category"
LINES = "usubjid | line_number | start_date | drugs"


def responses(*rows):
    return "\n".join([RESPONSE, *(f"MYE-DE01-A | 1 | {' | '.join(row)}" for row in rows)])


def lines(*starts):
    drugs = ("talquetamab", "bortezomib")
    rows = (
        f"MYE-DE01-A | {number} | {start} | {drug}"
        for number, (start, drug) in enumerate(zip(starts, drugs, strict=False), 1)
    )
    return "\n".join([LINES, *rows])


@pytest.fixture
def told(derived, rows):
    """Time, censoring (or the reason for no time) by endpoint, and the best response."""

    def build(*reported, **tables):
        con = derived(response=responses(*reported), **tables)
        times = {r["PARAMCD"]: (r["AVAL"], r["CNSR"]) for r in rows(con, "adtte")}
        times |= {r["PARAMCD"]: r["reason"] for r in rows(con, "exclusion")}
        [row] = rows(con, "adsl")
        return times | {"BESTRESP": row["BESTRESP"], "NACTDT": row["NACTDT"], **_days(rows, con)}

    return build


def _days(rows, con):
    return {r["PARAMCD"] + "DT": r["ADT"] for r in rows(con, "adrs", "PARAMCD in ('PD', 'RSP')")}


# Salvage on 2023-06-01, last contact on 2024-02-01.
@pytest.mark.parametrize("kind", ["ASSESSMENT", "BEST"])
@pytest.mark.parametrize(
    ("responded", "progressed", "first", "lost"),
    [
        # The progression is not before the response that it can follow.
        ("2023-07-09", "2023-07", "2023-07-09", "2023-07-09"),
        ("2023-06-20", "2023-07", "2023-06-20", "2023-07-01"),
        # The response is not after the progression.
        ("2023-07", "2023-07-10", "2023-07-10", "2023-07-10"),
        ("2023-07", "2023-07-20", "2023-07-15", "2023-07-20"),
        # Neither is complete: the response first, the progression not before it.
        ("2023-07", "2023-07", "2023-07-15", "2023-07-15"),
        ("2023-07", "2023-08", "2023-07-15", "2023-08-01"),
    ],
)
def test_a_response_and_the_progression_after_it(told, kind, responded, progressed, first, lost):
    found = told((kind, responded, "PR"), ("PROGRESSION", progressed, "PD"))
    assert (found["RSPDT"], found["PDDT"], found["BESTRESP"]) == (first, lost, "PR")
    assert found["TTRSP"][1] == 0
    assert found["RSD"][1] == 0
    assert found["PFS"] == (_days_from("2023-06-01", lost) + 1, 0)


def _days_from(start, end):
    import datetime as dt

    return (dt.date.fromisoformat(end) - dt.date.fromisoformat(start)).days


def test_a_response_known_by_month_lies_before_the_next_line(told):
    found = told(("ASSESSMENT", "2023-07", "PR"), treatment_line=lines("2023-06-01", "2023-07-10"))
    assert found["RSPDT"] == "2023-07-09"
    assert found["BESTRESP"] == "PR"
    # The last assessment before the new therapy: 38 days after the start.
    assert found["PFSNACT"] == (39, 4)
    # Its month leaves no day before the next line.
    found = told(("ASSESSMENT", "2023-07", "PR"), treatment_line=lines("2023-06-01", "2023-07-01"))
    assert (found["RSPDT"], found["PFSNACT"]) == ("2023-07-01", (1, 4))


def test_a_progression_of_the_month_of_the_next_line_lies_before_it_too(told):
    found = told(
        ("ASSESSMENT", "2023-07", "PR"),
        ("PROGRESSION", "2023-07", "PD"),
        treatment_line=lines("2023-06-01", "2023-07-10"),
    )
    assert (found["PDDT"], found["PFSNACT"]) == ("2023-07-09", (39, 0))


def test_a_response_after_the_only_possible_progression_stays_where_its_month_says(told):
    found = told(("ASSESSMENT", "2023-08", "PR"), ("PROGRESSION", "2023-07-10", "PD"))
    assert found["PDDT"] == "2023-07-10"


@pytest.mark.parametrize("codes", [("PFS", "PFSLA", "PFSNACT", "CIR", "NRM", "RSD")])
def test_a_progression_known_by_year_only_has_no_place_in_time(told, codes):
    found = told(("BEST", "2023-07-01", "PR"), ("PROGRESSION", "2023", "PD"))
    assert {found[code] for code in codes} == {"PROGRESSION_DATE_YEAR_ONLY"}
    assert found["TTRSP"] == (31, 0)
    found = told(
        ("BEST", "2023-07-01", "PR"),
        ("PROGRESSION", "2023", "PD"),
        ("PROGRESSION", "2023-09-01", "PD"),
    )
    assert found["PFS"] == (93, 0)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        # Relapse on 2023-05-10, salvage on 2023-06-01, response on 2023-08-10.
        ("2023", "PROGRESSION_DATE_YEAR_ONLY"),
        ("2023-06", "PROGRESSION_DATE_MISSING"),
        ("2023-05", (246, 1)),
        ("2023-08", (71, 0)),
        ("2023-09", (93, 0)),
    ],
)
def test_a_second_relapse_that_may_lie_before_the_salvage_is_not_placed(told, second, expected):
    relapse = f"""usubjid    | relapse_number | relapse_date
                  MYE-DE01-A | 1              | 2023-05-10
                  MYE-DE01-A | 2              | {second}"""
    assert told(("BEST", "2023-08-10", "PR"), relapse=relapse)["PFS"] == expected


def test_a_start_known_by_month_lies_before_the_next_line(told):
    found = told(treatment_line=lines("2023-06", "2023-06-12"))
    assert found["TTNT"] == (2, 0)
    found = told(treatment_line=lines("2023-06", "2023-06-20"))
    assert found["TTNT"] == (6, 0)


def test_a_next_line_known_by_month_lies_after_the_start_and_what_was_seen_before_it(told):
    assert told(treatment_line=lines("2023-06-20", "2023-06"))["NACTDT"] == "2023-06-21"
    found = told(("PROGRESSION", "2023-07-25", "PD"), treatment_line=lines("2023-06-01", "2023-07"))
    # Of the progression before the new therapy, 54 days after the start, PFSNACT must know.
    assert (found["NACTDT"], found["PFSNACT"]) == ("2023-07-26", (55, 0))


def test_a_next_line_known_by_month_lies_after_the_later_relapse_that_it_can_follow(told):
    relapse = """usubjid    | relapse_number | relapse_date
                 MYE-DE01-A | 1              | 2023-05-10
                 MYE-DE01-A | 2              | 2023-07-25"""
    found = told(relapse=relapse, treatment_line=lines("2023-06-01", "2023-07"))
    assert (found["NACTDT"], found["PFSNACT"]) == ("2023-07-26", (55, 0))
    # The first salvage is not put behind a relapse that may as well be its end.
    found = told(
        relapse=relapse.replace("2023-07-25", "2023-06-25"), treatment_line=lines("2023-06")
    )
    assert found["PFS"] == (11, 0)


def test_a_next_line_is_not_put_behind_its_own_first_assessment(plain):
    row = plain(
        treatment_line=lines("2023-06-01", "2023-07"),
        response=f"""{RESPONSE}
                     MYE-DE01-A | 1 | PROGRESSION | 2023-07-25 | PD
                     MYE-DE01-A | 2 | ASSESSMENT  | 2023-07-25 | SD""",
    )
    assert row["NACTDT"] == "2023-07-25"


BRIDGED = """usubjid    | line_number | start_date | drugs
             MYE-DE01-A | 1           | 2023-06-01 | radiotherapy
             MYE-DE01-A | 2           | 2023-06-15 | talquetamab"""


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # The bridge starts on 2023-06-01, the salvage on 2023-06-15.
        ("2023-06-21", (7, 0)),
        ("2023-07", (17, 0)),
        ("2023-06", "PROGRESSION_DATE_MISSING"),
        ("2023", "PROGRESSION_DATE_YEAR_ONLY"),
        ("2023-05-20", (232, 1)),
    ],
)
def test_a_progression_under_the_number_of_the_bridge_is_one_of_the_salvage(told, day, expected):
    found = told(("PROGRESSION", day, "PD"), treatment_line=BRIDGED)
    assert found["PFS"] == expected


def test_a_held_progression_under_the_number_of_the_bridge_is_told(derived, rows):
    for day, expected in (("2023-06-21", ["PROGRESSION_HELD"]), ("2023-05-20", [])):
        held = f"""usubjid    | held_table | number | topic       | value | day
                   MYE-DE01-A | response   | 1      | PROGRESSION | PD    | {day}"""
        con = derived(treatment_line=BRIDGED, held=held)
        found = rows(con, "exclusion", "PARAMCD = 'PFS'")
        assert [row["reason"] for row in found] == expected


def test_lines_of_one_month_follow_each_other(told):
    found = told(treatment_line=lines("2023-06", "2023-06"))
    assert (found["TTNT"], found["NACTDT"]) == ((2, 0), "2023-06-16")
    three = lines("2023-06", "2023-06") + "\nMYE-DE01-A | 3 | 2023-06-12 | carfilzomib"
    found = told(treatment_line=three)
    assert (found["TTNT"], found["NACTDT"]) == ((2, 0), "2023-06-11")
