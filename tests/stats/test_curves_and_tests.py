"""Kaplan-Meier, restricted means and log-rank tests against lifelines, plain readings and hand counts."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import stats
from reports.stats import (
    kaplan_meier,
    log_rank,
    mean_difference,
    merge_close_intervals,
    merge_close_times,
    pairwise_log_rank,
    restricted_mean,
)

patients = st.lists(
    st.tuples(st.integers(1, 12), st.booleans(), st.sampled_from("ABC"), st.sampled_from("xy")),
    min_size=12,
    max_size=60,
).filter(lambda rows: len({group for _, _, group, _ in rows}) > 1)


def arrays(rows: list[Any]) -> tuple[Any, Any, Any, Any]:
    time, event, group, stratum = zip(*rows, strict=True)
    return np.array(time, float), np.array(event), np.array(group), np.array(stratum)


@settings(max_examples=30, deadline=None)
@given(patients)
def test_the_curve_and_its_counts_equal_a_plain_reading(rows: list[Any]) -> None:
    time, event, _, _ = arrays(rows)
    entry = np.where(np.arange(time.size) % 3 == 0, time / 2, 0.0)
    curve = kaplan_meier(time, event, entry=entry)
    survival = 1.0
    for k, t in enumerate(sorted(set(time))):
        at_risk = sum(t <= end and start < t for start, end in zip(entry, time, strict=True))
        died = sum(end == t and e for end, e in zip(time, event, strict=True))
        survival *= 1 - died / at_risk
        assert (curve.time[k], curve.n_risk[k], curve.n_event[k]) == (t, at_risk, died)
        assert curve.survival[k] == pytest.approx(survival, abs=1e-14)


@settings(max_examples=30, deadline=None)
@given(patients)
def test_log_rank_equals_lifelines_and_pairs_are_tests_of_two_groups(rows: list[Any]) -> None:
    from lifelines.statistics import multivariate_logrank_test

    time, event, group, _ = arrays(rows)
    found = log_rank(time, event, group)
    if not event.any() or found.df + 1 < len(found.groups) or math.isnan(found.p):
        return
    theirs = multivariate_logrank_test(time, group, event)
    assert found.chi_squared == pytest.approx(theirs.test_statistic, rel=1e-8, abs=1e-10)
    pairs = pairwise_log_rank(time, event, group)
    for pair in pairs:
        mine = np.isin(group, [pair.first, pair.second])
        alone = log_rank(time[mine], event[mine], group[mine])
        assert pair.p == pytest.approx(alone.p if alone.df else 1.0, nan_ok=True)
        assert pair.holm >= pair.p or math.isnan(pair.p)


def plain_log_rank(time: Any, event: Any, group: Any, stratum: Any, rho: float) -> Any:
    """Observed minus expected, and variance, of the groups but the first; stratum by stratum."""
    names = sorted(set(group))
    score, variance = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for s in sorted(set(stratum)):
        survival = 1.0
        for t in sorted(set(time[(stratum == s) & event])):
            at = np.array([((time >= t) & (group == g) & (stratum == s)).sum() for g in names])
            died = np.array(
                [((time == t) & event & (group == g) & (stratum == s)).sum() for g in names]
            )
            n, d, w = at.sum(), died.sum(), survival**rho
            score += w * (died - d * at / n)
            if n > 1:
                spread = d * (n - d) / (n - 1)
                variance += w**2 * spread * (np.diag(at / n) - np.outer(at, at) / n**2)
            survival *= 1 - d / n
    return score, variance


@settings(max_examples=30, deadline=None)
@given(patients, st.sampled_from([0.0, 1.0, 0.5]))
def test_stratified_weighted_tests_equal_a_plain_reading(rows: list[Any], rho: float) -> None:
    time, event, group, stratum = arrays(rows)
    score, variance = plain_log_rank(time, event, group, stratum, rho)
    found = log_rank(time, event, group, rho=rho, strata=stratum)
    assert np.subtract(found.observed, found.expected) == pytest.approx(score, abs=1e-10)
    if np.linalg.matrix_rank(variance[1:, 1:], tol=1e-8) == score.size - 1:
        statistic = score[1:] @ np.linalg.solve(variance[1:, 1:], score[1:])
        assert found.chi_squared == pytest.approx(statistic, rel=1e-7, abs=1e-10)


def test_the_first_patients_of_freireich_give_the_published_log_rank_test() -> None:
    """Remission under 6-MP and placebo: 9 and 21 relapses, chi-squared 16.79 (Freireich 1963)."""
    treated = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapsed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    found = log_rank(
        np.array(treated + placebo, float),
        np.array(relapsed + [1] * 21, bool),
        np.array(["6-MP"] * 21 + ["placebo"] * 21),
    )
    assert found.chi_squared == pytest.approx(16.79, abs=0.005)
    assert found.observed == (9.0, 21.0)
    assert found.expected == pytest.approx((19.25, 10.75), abs=0.005)


@settings(max_examples=20, deadline=None)
@given(patients, st.integers(2, 15))
def test_restricted_means_equal_lifelines(rows: list[Any], tau: int) -> None:
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    time, event, _, _ = arrays(rows)
    found = restricted_mean(kaplan_meier(time, event), tau)
    theirs = restricted_mean_survival_time(KaplanMeierFitter().fit(time, event), t=tau)
    assert found.value == pytest.approx(theirs, rel=1e-9)
    assert found.lower <= found.value <= found.upper


def test_a_restricted_mean_and_its_error_by_hand() -> None:
    """Deaths at 1 and 3 of four, censored at 2 and 4: S is 3/4 from 1, 3/8 from 3."""
    curve = kaplan_meier(np.array([1.0, 2, 3, 4]), np.array([True, False, True, False]))
    found = restricted_mean(curve, 4.0)
    assert found.value == pytest.approx(1 + 2 * 0.75 + 0.375)
    # Area right of 1 is 1.875, of 3 0.375; Greenwood terms 1/(4*3) and 1/(2*1).
    assert found.std_err == pytest.approx(math.sqrt(1.875**2 / 12 + 0.375**2 / 2))
    assert not found.beyond_last_time
    assert restricted_mean(curve, 5.0).beyond_last_time
    difference = mean_difference(found, found)
    assert (difference.value, difference.p) == (0.0, 1.0)
    with pytest.raises(ValueError, match="same time"):
        mean_difference(found, restricted_mean(curve, 3.0))
    with pytest.raises(ValueError, match="positive"):
        restricted_mean(curve, 0.0)


def test_times_that_differ_by_rounding_are_one_time() -> None:
    times = merge_close_times(np.array([0.3, 0.1 + 0.2, 0.7, 0.7000001]))
    assert times[0] == times[1]
    assert times[2] != times[3]
    start, end = merge_close_intervals(np.array([0.0, 0.1 + 0.2]), np.array([0.3, 0.9]))
    assert start[1] == end[0]
    with pytest.raises(ValueError, match="entry: 1 of 1 rows is not before the time"):
        merge_close_intervals(np.array([0.1 + 0.2]), np.array([0.3]))


def test_every_name_of_the_library_is_a_function_with_a_description() -> None:
    assert {"kaplan_meier", "cox", "fine_gray", "gray_test", "fisher"} <= set(stats.__all__)
    for name in stats.__all__:
        found = getattr(stats, name)
        assert callable(found), name
        assert found.__doc__, name
    assert set(stats.__all__) <= set(dir(stats))
    with pytest.raises(AttributeError, match="no attribute 'coxph'"):
        _ = stats.coxph
