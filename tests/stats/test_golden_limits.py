"""What the golden runner takes as equal at the limits of numbers, and what the self-audit stops."""

from typing import Any

import polars as pl
import pytest

from reports.golden.compare import ITERATED, NO_MAXIMUM, Outcome, compare
from reports.selfaudit.ratios import CHECKS, intervals_have_a_width, numbers_are_finite


def compared(mine: dict[str, Any], theirs: dict[str, Any], **scalars: Any) -> Outcome:
    return compare((dict(scalars), [mine]), scalars, [theirs], ITERATED)


@pytest.mark.parametrize(
    ("mine", "theirs", "matches"),
    [
        (0.0, 0.0, True), (0, 0, True), (1e-310, 0.0, True), (0.0, 3e-305, True),
        (2e-200, 1e-200, True), (1e-290, 0.0, False), (0.0, 1e-290, False), (1e-200, 1e-202, False),
    ],
)  # fmt: skip
def test_p_values_near_the_smallest_number_are_compared_by_magnitude(
    mine: float, theirs: float, matches: bool
) -> None:
    outcome = compared({"p": mine}, {"p": theirs})
    assert (not outcome.differences) == matches


ROW = {"term": "armb", "coef": -10.94, "se": 0.41, "p": 5e-154}
OTHER = {"term": "x", "coef": 0.4, "se": 0.2}
LOST = {"term": "armb", "coef": NO_MAXIMUM, "se": NO_MAXIMUM, "p": NO_MAXIMUM}


def two_rows(first: dict[str, Any], second: dict[str, Any], converged: bool) -> Outcome:
    return compare(({}, [first, second]), {"converged": converged}, [ROW, OTHER], ITERATED)


def test_not_estimable_equals_a_fit_of_r_that_did_not_converge() -> None:
    """R: crr with no event of the cause in a level: about -10.9 with a standard error of 0.41, converged FALSE."""
    assert not two_rows(LOST, OTHER, converged=False).differences
    assert {d.place for d in two_rows(LOST, OTHER, converged=True).differences} == {
        "row 1 coef", "row 1 se", "row 1 p"
    }  # fmt: skip


def test_beside_what_is_not_estimable_r_gave_up_near_the_maximum() -> None:
    near, far = {**OTHER, "coef": 0.40001}, {**OTHER, "coef": 0.401}
    assert not two_rows(LOST, near, converged=False).differences
    assert [d.place for d in two_rows(LOST, far, converged=False).differences] == ["row 2 coef"]


def test_an_estimate_where_r_did_not_converge_must_still_be_the_same_number() -> None:
    assert not two_rows(ROW, OTHER, converged=False).differences
    other = {**ROW, "coef": -10.95}
    assert [d.place for d in two_rows(other, OTHER, converged=False).differences] == ["row 1 coef"]


def test_the_error_of_an_aliased_column_is_none_or_0() -> None:
    aliased = {"term": "b", "coef": None, "se": None, "robust_se": None}
    for error in (None, 0, 0.0):
        theirs = {"term": "b", "coef": None, "se": error, "robust_se": error}
        assert not compared(aliased, theirs).differences
    assert compared(aliased, {**aliased, "se": 0.3}).differences
    assert compared({**aliased, "coef": 0.1}, {**aliased, "coef": 0.1, "se": 0}).differences


def estimates(**changed: Any) -> pl.DataFrame:
    row = {"display": "T2", "population": "ALL", "row": "AGE", "level": None, "statistic": "hr",
           "value": 1.5, "lower": 1.1, "upper": 2.0, "p": 0.01}  # fmt: skip
    return pl.DataFrame([row, {**row, **changed}])


@pytest.mark.parametrize("statistic", ["hr", "hr_firth", "shr"])
def test_the_self_audit_stops_an_interval_without_width(statistic: str) -> None:
    planted = estimates(statistic=statistic, value=0.0016, lower=0.0016, upper=0.0016, p=0.0)
    assert intervals_have_a_width in CHECKS
    assert intervals_have_a_width(planted)["what"].to_list() == [
        "0.0016 (0.0016 to 0.0016), P 0.0 has no standard error"
    ]
    assert intervals_have_a_width(estimates(value=1.0, lower=1 - 1e-6, upper=1 + 1e-6)).is_empty()
    assert intervals_have_a_width(estimates(value=None, lower=None, upper=None)).is_empty()


@pytest.mark.parametrize("column", ["value", "lower", "upper", "p"])
@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_the_self_audit_stops_what_is_not_finite(column: str, number: float) -> None:
    assert numbers_are_finite in CHECKS
    assert numbers_are_finite(estimates()).is_empty()
    assert numbers_are_finite(estimates(**{column: None})).is_empty()
    assert numbers_are_finite(estimates(**{column: number})).height == 1
