"""A response that a check holds back is never "no response": what it leaves open is unknown and told."""

import pytest

HELD = "usubjid | held_table | number | topic | value | day"
RESPONSE = "usubjid | line_number | kind | response_date | category"


def held(kind, category, day, number=1):
    return f"{HELD}\nMYE-DE01-A | response | {number} | {kind} | {category} | {day}"


def known(*rows):
    return "\n".join([RESPONSE, *(f"MYE-DE01-A | 1 | {' | '.join(row)}" for row in rows)])


def reasons(rows, con):
    return {row["PARAMCD"]: row["reason"] for row in rows(con, "exclusion")}


BEST_PR = ("BEST", "2023-07-01", "PR")
SEEN_PR = ("ASSESSMENT", "2023-07-01", "PR")
SEEN_SD = ("ASSESSMENT", "2023-07-01", "SD")
LOST = ("PROGRESSION", "2023-08-01", "PD")


@pytest.mark.parametrize(
    ("rows_known", "row_held", "expected"),
    [
        # Nothing else is known: whatever is held may be a response.
        ((), ("BEST", "", "2023-07-01"), None),
        ((), ("BEST", "CR", ""), None),
        ((), ("ASSESSMENT", "CR", "2023-07-01"), None),
        ((), ("", "CR", "2023-07-01"), None),
        ((), ("ASSESSMENT", "SD", "2023-07-01"), "LTPR"),
        ((), ("ASSESSMENT", "NE", "2023-07-01"), "LTPR"),
        # A best response as reported stands above assessments, but for a better one that is held.
        ((BEST_PR,), ("ASSESSMENT", "CR", "2023-07-20"), "PR"),
        ((BEST_PR,), ("BEST", "CR", "2023-07-20"), None),
        ((BEST_PR,), ("BEST", "SD", "2023-07-20"), "PR"),
        # A held best response takes the place of assessments, unless it says the same.
        ((SEEN_PR,), ("BEST", "VGPR", "2023-07-20"), None),
        ((SEEN_PR,), ("BEST", "SD", "2023-07-20"), None),
        ((SEEN_PR,), ("BEST", "PR", "2023-07-20"), "PR"),
        # An assessment matters if it may be better.
        ((SEEN_PR,), ("ASSESSMENT", "VGPR", "2023-07-20"), None),
        ((SEEN_PR,), ("ASSESSMENT", "PR", "2023-07-20"), "PR"),
        ((SEEN_PR,), ("ASSESSMENT", "", "2023-07-20"), None),
        # After the progression it is outside the window.
        ((SEEN_PR, LOST), ("ASSESSMENT", "CR", "2023-09-01"), "PR"),
        ((SEEN_PR, LOST), ("ASSESSMENT", "CR", "2023-08-01"), None),
        ((SEEN_PR, LOST), ("ASSESSMENT", "CR", ""), None),
    ],
)
def test_the_best_response_is_unknown_where_a_held_one_may_change_it(
    plain, rows_known, row_held, expected
):
    row = plain(response=known(*rows_known), held=held(*row_held))
    flag = {None: None, "LTPR": "N"}.get(expected, "Y")
    assert (row["BESTRESP"], row["RESPFL"]) == (expected, flag)
    assert (row["BESTRSRC"] == "HELD") is (expected is None)


@pytest.mark.parametrize("number", [0, 2])
def test_a_held_response_of_another_line_leaves_the_first_salvage_alone(plain, number):
    row = plain(held=held("BEST", "CR", "2023-07-01", number))
    assert (row["BESTRESP"], row["BESTRSRC"]) == ("LTPR", "MISSING")


def test_times_that_rest_on_an_open_response_are_not_told(derived, rows):
    con = derived(held=held("BEST", "CR", ""))
    found = reasons(rows, con)
    assert {code: found.get(code) for code in ("TTRSP", "RSD", "RSDR", "OS", "PFS", "CIR")} == {
        **dict.fromkeys(("TTRSP", "RSD", "RSDR"), "RESPONSE_HELD"),
        **dict.fromkeys(("OS", "PFS", "CIR")),
    }
    told = {row["PARAMCD"]: row["AVALC"] for row in rows(con, "adrs")}
    assert (told["BOR"], told["RSP"], told["PD"]) == ("HELD", None, "N")
    problems = rows(con, "endpoint_problem", "PARAMCD = 'TTRSP'")
    assert [(row["reason"], row["outcome"]) for row in problems] == [("RESPONSE_HELD", "EXCLUDED")]


@pytest.mark.parametrize(
    ("category", "day", "is_told"),
    [
        ("PR", "2023-06-20", False),
        ("PR", "", False),
        ("", "2023-06-20", False),
        ("SD", "2023-06-20", True),
        ("PR", "2023-07-20", True),
    ],
)
def test_a_held_assessment_that_may_be_the_first_response_leaves_its_day_open(
    derived, rows, category, day, is_told
):
    con = derived(response=known(BEST_PR), held=held("ASSESSMENT", category, day))
    assert rows(con, "adsl")[0]["RESPFL"] == "Y"
    found = reasons(rows, con)
    expected = None if is_told else "RESPONSE_HELD"
    assert [found.get(code) for code in ("TTRSP", "RSD", "RSDR")] == [expected] * 3


def test_a_held_response_that_nobody_understood_may_be_a_progression(derived, rows):
    con = derived(response=known(BEST_PR), held=held("ASSESSMENT", "", "2023-08-01"))
    found = reasons(rows, con)
    assert (found["PFS"], found["CIR"]) == ("PROGRESSION_HELD", "PROGRESSION_HELD")
    [row] = rows(con, "adrs", "PARAMCD = 'PD'")
    assert row["AVALC"] is None


def test_a_held_assessment_after_the_last_one_is_told_beside_the_time_to_it(derived, rows):
    con = derived(response=known(BEST_PR, SEEN_SD), held=held("ASSESSMENT", "SD", "2023-09-01"))
    problems = rows(con, "endpoint_problem", "reason = 'RESPONSE_HELD_BESIDE'")
    assert [(row["PARAMCD"], row["outcome"]) for row in problems] == [("PFSLA", "KEPT")]


def test_where_measurements_are_analysed_a_held_assessment_leaves_the_response_open(
    plain, study_with
):
    row = plain(
        study_with(response_analysed="derived"), held=held("ASSESSMENT", "SD", "2023-07-01")
    )
    assert (row["BESTRESP"], row["BESTRSRC"]) == (None, "HELD")


def test_without_the_follow_up_that_is_held_nobody_is_censored_as_alive(derived, rows):
    nobody = "usubjid | last_contact_date | vital_status | death_date"
    con = derived(follow_up=nobody)
    assert "OS" not in reasons(rows, con)
    dead = "usubjid | held_table | value | day\nMYE-DE01-A | follow_up | DEAD | 2024-02-01"
    con = derived(follow_up=nobody, held=dead)
    assert {code: reasons(rows, con)[code] for code in ("OS", "PFS", "TTNT", "FUP")} == (
        dict.fromkeys(("OS", "PFS", "TTNT", "FUP"), "FOLLOW_UP_HELD")
    )
