"""One bad value must not give a number: it is refused, with the column, the number of rows, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from reports.stats import (
    aalen_johansen,
    concordance,
    cox,
    cumulative_incidence,
    fine_gray,
    gray_test,
    incidence_at,
    kaplan_meier,
    log_rank,
    merge_close_intervals,
    merge_close_times,
    pairwise_log_rank,
    restricted_mean,
    reverse_kaplan_meier,
    shared_frailty,
    states_at,
    subdistribution_cox,
)

TIMES = np.array([5.0, 6, 6, 2, 4, 9])
SEEN = np.array([1, 1, 0, 1, 0, 1])
GROUPS = np.array(["a", "b", "a", "b", "a", "b"])
CAUSES = np.array([1, 2, 0, 1, 2, 1])
X = np.array([1.0, 2, 3, 4, 5, 6.5])
FRAME = pl.DataFrame({"t": TIMES, "e": SEEN, "g": GROUPS, "x": X})


def last(values: np.ndarray, value: float | None) -> np.ndarray:
    """The values with another last one."""
    return np.array([*values[:-1], value], dtype=float)


WITH_TIMES: list[Callable[[Any], object]] = [
    lambda times: kaplan_meier(times, SEEN),
    lambda times: reverse_kaplan_meier(times, SEEN),
    lambda times: log_rank(times, SEEN, GROUPS),
    lambda times: pairwise_log_rank(times, SEEN, GROUPS),
    lambda times: cumulative_incidence(times, CAUSES),
    lambda times: aalen_johansen(times, CAUSES),
    lambda times: gray_test(times, CAUSES, GROUPS, cause=1),
    lambda times: fine_gray(times, CAUSES, X, cause=1),
    lambda times: subdistribution_cox(times, CAUSES, X, cause=1),
    lambda times: cox(FRAME.with_columns(times=times), "x", time="times", event="e"),
]


@pytest.mark.parametrize("statistic", WITH_TIMES)
def test_a_time_that_is_infinite_or_negative_is_refused_everywhere(statistic: Any) -> None:
    with pytest.raises(ValueError, match="times: 1 of 6 rows is infinite"):
        statistic(last(TIMES, np.inf))
    with pytest.raises(ValueError, match="times: 6 of 6 rows are negative"):
        statistic(-TIMES)


@pytest.mark.parametrize("statistic", WITH_TIMES[:-1])
def test_a_missing_time_is_refused_where_rows_are_not_left_out(statistic: Any) -> None:
    with pytest.raises(ValueError, match="times: 1 of 6 rows is missing"):
        statistic(last(TIMES, np.nan))


WITH_EVENTS: list[Callable[[Any], object]] = [
    lambda seen: kaplan_meier(TIMES, seen),
    lambda seen: reverse_kaplan_meier(TIMES, seen),
    lambda seen: log_rank(TIMES, seen, GROUPS),
    lambda seen: pairwise_log_rank(TIMES, seen, GROUPS),
    lambda seen: concordance(TIMES, seen, X),
    lambda seen: cox(FRAME.with_columns(events=seen), "x", time="t", event="events"),
]


@pytest.mark.parametrize("statistic", WITH_EVENTS)
@pytest.mark.parametrize(
    ("seen", "told"),
    [(SEEN + 1, "holds 1, 2"), (SEEN * 2, "holds 0, 2"), (np.arange(6), "holds 0, 1, 2, 3, ...")],
)
def test_events_coded_otherwise_than_0_and_1_are_refused(
    statistic: Any, seen: Any, told: str
) -> None:
    """R's lung has 1 for the censored and 2 for the dead; which is meant is not guessed."""
    with pytest.raises(ValueError, match=f"events? {told}: code it 1 .or True. where the event"):
        statistic(seen)


@pytest.mark.parametrize("statistic", WITH_EVENTS)
def test_events_in_words_are_refused(statistic: Any) -> None:
    with pytest.raises(ValueError, match="events? holds text: code it 1"):
        statistic(np.array(["Y", "N", "Y", "N", "Y", "Y"]))


@pytest.mark.parametrize("statistic", WITH_EVENTS[:-1])
def test_a_missing_event_is_no_event_and_no_censoring(statistic: Any) -> None:
    with pytest.raises(ValueError, match="events?: 1 of 6 rows is missing"):
        statistic(last(SEEN, np.nan))


def test_events_as_numbers_and_as_truth_give_the_same_numbers() -> None:
    for curve in (kaplan_meier, reverse_kaplan_meier):
        expected = curve(TIMES, SEEN == 1).survival.tolist()
        for seen in (SEEN, SEEN.astype(float), SEEN.tolist(), pl.Series(SEEN == 1)):
            assert curve(TIMES, seen).survival.tolist() == expected
    assert log_rank(TIMES.tolist(), SEEN.tolist(), GROUPS.tolist()) == log_rank(
        TIMES, SEEN == 1, GROUPS
    )


def test_the_curve_of_follow_up_by_hand() -> None:
    """Censored at 4 among 5 at risk and at 6 among 4; who dies at 6 is at risk then."""
    curve = reverse_kaplan_meier(TIMES, SEEN)
    assert curve.time.tolist() == [2, 4, 5, 6, 9]
    assert curve.survival == pytest.approx([1, 4 / 5, 4 / 5, 4 / 5 * 2 / 3, 4 / 5 * 2 / 3])


def test_close_times_are_not_merged_beside_an_infinite_one() -> None:
    with pytest.raises(ValueError, match="times: 1 of 6 rows is infinite"):
        merge_close_times(last(TIMES, np.inf))
    with pytest.raises(ValueError, match="entry: 1 of 6 rows is missing"):
        merge_close_intervals(last(TIMES - 1, np.nan), TIMES)
    with pytest.raises(ValueError, match="entry: 2 of 6 rows are not before the time"):
        merge_close_intervals(np.array([0.0, 6, 6, 1, 1, 1]), TIMES)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            lambda: kaplan_meier(TIMES, SEEN, conf_type="loglog"),
            "log, log-log, plain, not 'loglog'",
        ),
        (lambda: kaplan_meier(TIMES, SEEN, level=95), r"between 0 and 1 \(0.95 for 95%\), not 95"),
        (lambda: kaplan_meier(TIMES, SEEN[:3]), "not times 6, events 3"),
        (lambda: kaplan_meier(TIMES, SEEN, entry=TIMES), "entry: 6 of 6 rows are not before"),
        (lambda: kaplan_meier([], []), "at least one patient"),
        (lambda: kaplan_meier(["a"], [1]), "times must be numbers"),
        (lambda: kaplan_meier(TIMES, SEEN).at([3.0, 1.0]), "must ascend"),
        (lambda: kaplan_meier(TIMES, SEEN).quantile(50), "share between 0 and 1, not 50"),
        (lambda: restricted_mean(kaplan_meier(TIMES, SEEN), np.inf), "positive and finite"),
        (lambda: log_rank(TIMES, SEEN, [*GROUPS[:-1], None]), "groups: 1 of 6 rows is missing"),
        (
            lambda: log_rank(TIMES, SEEN, GROUPS, strata=[1, 2, 1, 2, 1, np.nan]),
            "strata: 1 of 6 rows is missing",
        ),
        (lambda: log_rank(TIMES, SEEN, GROUPS[:4]), "not times 6, events 6, groups 4"),
        (lambda: gray_test(TIMES, CAUSES, [*GROUPS[:-1], None], cause=1), "groups: 1 of 6 rows"),
        (lambda: cumulative_incidence(TIMES, CAUSES / 2), "event codes: 3 of 6 rows are no whole"),
        (
            lambda: cumulative_incidence(TIMES, last(CAUSES, np.nan)),
            "codes: 1 of 6 rows is missing",
        ),
        (lambda: fine_gray(TIMES, CAUSES, last(X, np.inf), cause=1), "covariate 1: 1 of 6 rows"),
        (lambda: fine_gray(TIMES, CAUSES, X, cause=1, level=95), "between 0 and 1"),
        (lambda: subdistribution_cox(TIMES, CAUSES, X, cause=1, ties="exact"), "not 'exact'"),
        (lambda: incidence_at(cumulative_incidence(TIMES, CAUSES), [np.nan]), "times: 1 of 1"),
        (lambda: states_at(aalen_johansen(TIMES, CAUSES), [1.0], conf_type="none"), "not 'none'"),
        (lambda: concordance(TIMES, SEEN, last(X, np.nan)), "risk: 1 of 6 rows is missing"),
    ],
)
def test_what_a_statistic_cannot_take_is_told(wrong: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        wrong()


@pytest.mark.parametrize(
    ("columns", "arguments", "told"),
    [
        ({"x": last(X, np.inf)}, {}, "x: 1 of 6 rows is infinite"),
        ({"x": -X}, {"formula": "log(x)"}, r"log\(x\): 6 of 6 rows are not a finite number"),
        ({"x": X - 1}, {"formula": "log(x)"}, r"log\(x\): 1 of 6 rows is not a finite number"),
        ({"x": X - 1}, {"formula": "I(1/x)"}, "1 of 6 rows is not a finite number"),
        ({"w": X - 2}, {"weights": "w"}, "w: 2 of 6 rows are not positive"),
        ({"w": last(X, np.inf)}, {"weights": "w"}, "w: 1 of 6 rows is infinite"),
        ({"s": last(X, np.inf)}, {"entry": "s"}, "s: 1 of 6 rows is infinite"),
        ({}, {"ties": "exact"}, "ties must be one of efron, breslow, not 'exact'"),
        ({}, {"level": 95}, "level must lie between 0 and 1"),
        ({}, {"levels": {"gg": ["b", "a"]}}, "levels are given of what is no column: gg"),
        ({}, {"levels": {"g": ["b"]}, "formula": "g"}, "none of its levels"),
        ({}, {"levels": {"g": ["a", "b", "a"]}, "formula": "g"}, "a level of g is declared twice"),
        ({}, {"formula": "y"}, "there is no column y"),
        ({}, {"time": "g"}, "g must be numbers"),
    ],
)
def test_what_a_model_cannot_take_is_told(
    columns: dict[str, Any], arguments: dict[str, Any], told: str
) -> None:
    given = {"formula": "x", "time": "t", "event": "e", **arguments}
    with pytest.raises(ValueError, match=told):
        cox(FRAME.with_columns(**columns), **given)


def test_an_unknown_distribution_of_the_frailty_is_refused() -> None:
    fit = cox(FRAME, "x", time="t", event="e", cluster="g")
    with pytest.raises(ValueError, match="distribution must be one of gamma, gaussian, not 't'"):
        shared_frailty(fit, "t")  # type: ignore[arg-type]
