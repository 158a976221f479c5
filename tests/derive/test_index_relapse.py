"""Which relapse is the index relapse, also where one is held back or dates are partial."""

import pytest

TWO = "usubjid | relapse_number | relapse_date\nMYE-DE01-A | 1 | {}\nMYE-DE01-A | 2 | {}"
SECOND = "usubjid | relapse_number | relapse_date\nMYE-DE01-A | 2 | {}"
HELD = "usubjid | held_table | number | day\nMYE-DE01-A | relapse | {} | {}"


@pytest.fixture
def reason(rows):
    def build(con):
        [candidate] = rows(con, "candidate")
        return candidate["reason"]

    return build


@pytest.mark.parametrize("second", ["2023-06-21", "2023-05-25", "2023-07-31"])
@pytest.mark.parametrize("held_on", ["2023-05-10", "", "2022-05-10"])
def test_a_held_first_relapse_is_not_replaced_by_the_second(derived, rows, reason, second, held_on):
    con = derived(relapse=SECOND.format(second), held=HELD.format(1, held_on))
    assert reason(con) == "RELAPSE_HELD"
    assert rows(con, "adsl") == []


@pytest.mark.parametrize(
    ("number", "day", "expected"),
    [
        ("", "", "RELAPSE_HELD"),
        ("", "2023-04-01", "RELAPSE_HELD"),
        ("", "2023-05", "RELAPSE_HELD"),
        ("", "2023-08-01", None),
        ("", "2022-08-01", None),
        (1, "2023-08-01", "RELAPSE_HELD"),
        (2, "2023-08-01", None),
        (2, "", None),
        (2, "2023-03-01", "RELAPSE_HELD"),
        (2, "2022-03-01", None),
    ],
)
def test_a_held_relapse_keeps_the_patient_out_only_if_it_may_be_the_first(
    derived, reason, number, day, expected
):
    assert reason(derived(held=HELD.format(number, day))) == expected


def test_a_relapse_before_car_t_does_not_hide_one_that_is_held(derived, reason):
    before = "usubjid | relapse_number | relapse_date\nMYE-DE01-A | 1 | 2022-01-01"
    con = derived(relapse=before)
    assert reason(con) == "RELAPSE_NOT_AFTER_INFUSION"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2023-05-10", "2023", "2023-05-10"),
        ("2023-05-10", "2023-05", "2023-05-10"),
        ("2023-05", "2023-05-10", "2023-05-10"),
        ("2023-05", "2023-05-20", "2023-05-15"),
        ("2023-05", "2023", "2023-05-15"),
        # Complete dates say which is first, whatever the numbers say.
        ("2023-05-31", "2023-05-10", "2023-05-10"),
    ],
)
def test_the_first_relapse_is_the_first_by_number_where_dates_leave_it_open(
    plain, first, second, expected
):
    assert plain(relapse=TWO.format(first, second))["RELDT"] == expected


def test_a_first_relapse_known_by_year_only_keeps_the_patient_out_whatever_the_second(
    derived, reason
):
    assert reason(derived(relapse=TWO.format("2023", "2023-05-10"))) == "RELAPSE_DATE_INCOMPLETE"
