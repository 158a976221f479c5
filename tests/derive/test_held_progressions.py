"""A progression that a check holds back is no event, and never "no progression" either."""

import pytest

CLOCKS = ["PFS", "PFSLA", "PFSNACT", "CIR", "NRM", "RSD", "RSDR"]
HEADER = "usubjid | line_number | kind | response_date | category"
PROGRESSIONS = "usubjid | line_number | day | day_precision"
COMPLETE = f"{HEADER}\nMYE-DE01-A | 1 | BEST | 2023-07-01 | CR"


@pytest.fixture
def with_held(derived, rows):
    """Reasons by parameter, best response and problems, with these held progressions."""

    def build(*held, **tables):
        drawn = (
            f"MYE-DE01-A | {'' if line is None else line} | {day or ''} | {known}"
            for line, day, known in held
        )
        con = derived(progressions="\n".join([PROGRESSIONS, *drawn]), **tables)
        reasons = {row["PARAMCD"]: row["reason"] for row in rows(con, "exclusion")}
        problems = {
            (row["PARAMCD"], row["reason"], row["outcome"]) for row in rows(con, "endpoint_problem")
        }
        return reasons, rows(con, "adsl")[0]["BESTRESP"], problems

    return build


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("2023-05-29", "PROGRESSION_BEFORE_START"),
        ("2024-03-01", "PROGRESSION_AFTER_DEATH"),
        ("2023-09-01", "PROGRESSION_HELD"),
        (None, "PROGRESSION_HELD"),
    ],
)
def test_the_times_to_progression_are_not_told_and_the_response_stays(with_held, day, reason):
    dead = """usubjid    | last_contact_date | vital_status | death_date
              MYE-DE01-A | 2024-02-01        | DEAD         | 2024-02-01"""
    reasons, best, problems = with_held((1, day, "day"), response=COMPLETE, follow_up=dead)
    assert {code: reasons.get(code) for code in CLOCKS} == dict.fromkeys(CLOCKS, reason)
    assert "OS" not in reasons
    assert best == "CR"
    assert {(code, reason, "EXCLUDED") for code in CLOCKS} <= problems


def test_without_a_held_progression_the_patient_has_all_times(with_held):
    reasons, _, _ = with_held(response=COMPLETE)
    assert not set(CLOCKS) & set(reasons)


def test_a_progression_of_the_month_of_the_start_is_not_called_one_before_it(with_held):
    reasons, _, _ = with_held((1, "2023-06-01", "month"), response=COMPLETE)
    assert reasons["PFS"] == "PROGRESSION_HELD"


def test_a_held_progression_of_car_t_says_nothing_of_the_salvage(with_held):
    reasons, _, _ = with_held((0, "2023-05-01", "day"), response=COMPLETE)
    assert "PFS" not in reasons


def test_a_later_relapse_that_is_held_is_a_progression_that_is_held(with_held):
    reasons, _, _ = with_held((None, "2023-09-01", "day"), response=COMPLETE)
    assert reasons["PFS"] == "PROGRESSION_HELD"


def test_beside_a_progression_that_counts_the_held_one_is_asked_about(with_held):
    response = f"{COMPLETE}\nMYE-DE01-A | 1 | PROGRESSION | 2023-10-01 | PD"
    reasons, _, problems = with_held((1, "2023-09-01", "day"), response=response)
    assert "PFS" not in reasons
    assert ("PFS", "PROGRESSION_HELD_BESIDE", "KEPT") in problems


def test_a_held_progression_is_told_under_each_completion_of_partial_dates(with_held):
    follow_up = """usubjid    | last_contact_date | vital_status | death_date
                   MYE-DE01-A | 2024-02           | ALIVE        |"""
    reasons, _, _ = with_held((1, "2023-09-01", "day"), response=COMPLETE, follow_up=follow_up)
    told = {code: reasons.get(code) for code in ("PFS", "PFSE", "PFSL", "CIRE", "CIRL")}
    assert told == dict.fromkeys(told, "PROGRESSION_HELD")


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        # Between the first relapse (2023-05-10) and the salvage (2023-06-01): no event, held back or not.
        ("2023-05-12", None),
        ("2023-06-01", None),
        ("2023-06-02", "PROGRESSION_HELD"),
        ("2023-05-09", "PROGRESSION_BEFORE_START"),
        (None, "PROGRESSION_HELD"),
    ],
)
def test_a_held_relapse_before_the_salvage_is_no_event_of_it(with_held, day, reason):
    reasons, _, _ = with_held((None, day, "day"), response=COMPLETE)
    assert {code: reasons.get(code) for code in CLOCKS} == dict.fromkeys(CLOCKS, reason)
