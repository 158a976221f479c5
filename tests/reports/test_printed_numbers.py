"""How numbers are printed."""

import pytest

from reports.displays.curves import Display
from reports.displays.estimate import (
    Estimate,
    count_text,
    interval_text,
    number_text,
    p_text,
    percent,
    to_frame,
)


@pytest.mark.parametrize(
    ("part", "whole", "printed"),
    # The paper cuts: 15 of 37 is printed 40 there, 5 of 37 both 13 and 14.
    [
        (15, 37, "41"),
        (5, 37, "14"),
        (12, 28, "43"),
        (11, 31, "35"),
        (1, 8, "13"),
        (0, 43, "0"),
        (43, 43, "100"),
        (0, 0, "–"),
    ],
)
def test_percentages_are_rounded_half_up_from_the_exact_ratio(part, whole, printed):
    assert percent(part, whole) == printed


def test_a_count_is_printed_with_its_percentage():
    assert count_text(17, 28) == "17 (61)"


@pytest.mark.parametrize(
    ("p", "printed"),
    [
        (0.0009999, "<0.001"),
        (0.001, "0.001"),
        (0.0015785, "0.002"),
        (0.0243, "0.024"),
        (0.0994, "0.099"),
        (0.0996, "0.10"),
        (0.148, "0.15"),
        (0.692, "0.69"),
        (0.9949, "0.99"),
        (0.9999, ">0.99"),
        (None, "not estimable"),
        (float("nan"), "not estimable"),
    ],
)
def test_p_values_have_two_digits_and_at_most_three_decimals(p, printed):
    assert p_text(p) == printed


@pytest.mark.parametrize(
    ("value", "decimals", "printed"),
    [(5.449, 1, "5.4"), (5.45, 1, "5.5"), (2.675, 2, "2.68"), (0.0, 1, "0.0"), (None, 1, "–")],
)
def test_numbers_are_rounded_half_up(value, decimals, printed):
    assert number_text(value, decimals) == printed


def test_a_limit_that_is_not_reached_is_printed_as_nr():
    assert interval_text(3.7, None, 1) == "3.7 to NR"


def test_few_events_and_patients_are_flagged_below_what_the_plan_asks_for():
    usual = Display("F", "OS", "Survival", (), 30.4375)
    assert usual.flags(20, 9) == "; few events (9)"
    assert usual.flags(19, 10) == "; small group (19)"
    assert usual.flags(20, 10) == ""
    own = Display("F", "OS", "Survival", (), 30.4375, early_events=3, small_group=5)
    assert own.flags(5, 3) == ""
    assert own.flags(4, 2) == "; few events (2); small group (4)"


def test_positions_count_within_each_display_and_nan_becomes_null():
    frame = to_frame(
        [
            Estimate(display="A", row="x", statistic="n", value=1.0),
            Estimate(display="B", row="x", statistic="n", value=float("nan")),
            Estimate(display="A", row="y", statistic="n", value=2.0),
        ]
    )
    assert frame["position"].to_list() == [1, 1, 2]
    assert frame["value"].to_list() == [1.0, None, 2.0]
