"""The vectorised estimates against a slow reading of the definitions, person by person, on random data."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reports.stats.competing.aalen_johansen import aalen_johansen
from reports.stats.competing.censoring import uncensored_before
from reports.stats.competing.fine_gray import fine_gray
from reports.stats.competing.fine_gray_cox import subdistribution_cox
from reports.stats.competing.gray import gray_test
from reports.stats.competing.incidence import cumulative_incidence, incidence_at

PERSON = st.tuples(st.integers(0, 8), st.integers(0, 2), st.sampled_from("ab"), st.integers(-3, 3))
PERSONS = st.lists(PERSON, min_size=8, max_size=40)


def columns(persons: list[Any]) -> tuple[Any, Any, Any, Any]:
    time, status, group, x = zip(*persons, strict=True)
    return np.array(time, dtype=float), np.array(status), np.array(group), np.array(x, dtype=float)


def slow_incidence(persons: list[Any], cause: int, until: float) -> float:
    free, taken = 1.0, 0.0
    for time in sorted({p[0] for p in persons if p[0] <= until}):
        risk = sum(p[0] >= time for p in persons)
        taken += free * sum(p[0] == time and p[1] == cause for p in persons) / risk
        free *= 1 - sum(p[0] == time and p[1] != 0 for p in persons) / risk
    return taken


def slow_uncensored(persons: list[Any], before: float) -> float:
    kept = 1.0
    for time in sorted({p[0] for p in persons if p[0] < before or (before == 0 and p[0] == 0)}):
        gone = sum(p[0] == time and p[1] == 0 for p in persons)
        kept *= 1 - gone / sum(p[0] >= time for p in persons)
    return kept


def slow_weight(persons: list[Any], person: Any, time: float) -> float:
    if person[0] >= time:
        return 1.0
    if person[1] != 2:
        return 0.0
    return slow_uncensored(persons, time) / slow_uncensored(persons, person[0])


def slow_loglik(persons: list[Any], coefficient: float) -> float:
    total = 0.0
    for person in persons:
        if person[1] == 1:
            at_risk = sum(
                slow_weight(persons, other, person[0]) * math.exp(coefficient * other[3])
                for other in persons
            )
            total += coefficient * person[3] - math.log(at_risk)
    return total


@given(PERSONS)
@settings(max_examples=60, deadline=None)
def test_incidence_is_what_the_definition_says(persons: list[Any]) -> None:
    time, status, group, _ = columns(persons)
    assume((status > 0).any())
    for curve in cumulative_incidence(time, status, group):
        members = [p for p in persons if p[2] == curve.group]
        for at, value in zip(curve.time, curve.incidence, strict=True):
            assert value == pytest.approx(slow_incidence(members, curve.cause, at), abs=1e-12)


@given(PERSONS)
@settings(max_examples=60, deadline=None)
def test_incidences_and_event_free_share_add_up_to_one(persons: list[Any]) -> None:
    time, status, _, _ = columns(persons)
    assume((status > 0).any())
    curves = cumulative_incidence(time, status)
    last = time[status > 0].max()
    taken = incidence_at(curves, np.array([last]))["incidence"].sum()
    free = 1.0
    for at in np.unique(time[status > 0]):
        free *= 1 - ((time == at) & (status > 0)).sum() / (time >= at).sum()
    assert taken + free == pytest.approx(1.0, abs=1e-12)


@given(PERSONS)
@settings(max_examples=25, deadline=None)
def test_standard_error_of_the_states_is_the_jackknife_by_small_weights(persons: list[Any]) -> None:
    time, status, _, _ = columns(persons)
    assume((status == 1).any())
    curve = next(c for c in aalen_johansen(time, status) if c.cause == 1)
    at, step = float(np.median(time)), 1e-6
    position = int(np.searchsorted(curve.time, at, side="right")) - 1
    assume(position >= 0)

    def weighted(weights: Any) -> float:
        free, taken = 1.0, 0.0
        for t in np.unique(time[time <= at]):
            risk = weights[time >= t].sum()
            taken += free * weights[(time == t) & (status == 1)].sum() / risk
            free *= 1 - weights[(time == t) & (status > 0)].sum() / risk
        return taken

    influence = []
    for person in range(time.size):
        weights = np.ones(time.size)
        weights[person] += step
        up = weighted(weights)
        weights[person] -= 2 * step
        influence.append((up - weighted(weights)) / (2 * step))
    expected = math.sqrt(sum(value**2 for value in influence))
    assert curve.std_err[position] == pytest.approx(expected, abs=1e-7)


@given(PERSONS)
@settings(max_examples=40, deadline=None)
def test_censoring_curve_is_what_the_definition_says(persons: list[Any]) -> None:
    time, status, _, _ = columns(persons)
    at = np.arange(0.0, time.max() + 1)
    found = uncensored_before(time, status, 0, at, "all at risk")
    assert found == pytest.approx([slow_uncensored(persons, t) for t in at], abs=1e-12)


@given(PERSONS)
@settings(max_examples=25, deadline=None)
def test_fine_gray_maximizes_the_likelihood_as_defined(persons: list[Any]) -> None:
    time, status, _, x = columns(persons)
    model = fine_gray(time, status, x, cause=1)
    if model is None or not model.converged:
        return
    best = float(model.coefficient[0])
    assert model.loglik == pytest.approx(slow_loglik(persons, best), abs=1e-9)
    assert model.loglik_null == pytest.approx(slow_loglik(persons, 0.0), abs=1e-9)
    for near in (best - 1e-3, best + 1e-3):
        assert slow_loglik(persons, near) <= model.loglik + 1e-12


@given(PERSONS, st.permutations("ab"), st.floats(0.1, 50), st.sampled_from([0.0, 1.0]))
@settings(max_examples=60, deadline=None)
def test_gray_does_not_depend_on_labels_or_the_clock(
    persons: list[Any], names: list[str], factor: float, rho: float
) -> None:
    time, status, group, _ = columns(persons)
    first = gray_test(time, status, group, cause=1, rho=rho)
    renamed = np.where(group == "a", names[0], names[1])
    clock = np.exp(time / 4) * factor
    second = gray_test(clock, status, renamed, cause=1, rho=rho)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert second.statistic == pytest.approx(first.statistic, rel=1e-6, abs=1e-9)
        assert second.p == pytest.approx(first.p, rel=1e-6, abs=1e-9)


@given(PERSONS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_models_do_not_depend_on_order_clock_scale_or_origin(
    persons: list[Any], random: Any
) -> None:
    persons = [(time + 1, *rest) for time, *rest in persons]
    shuffled = list(persons)
    random.shuffle(shuffled)
    for fit in (fine_gray, subdistribution_cox):
        time, status, _, x = columns(persons)
        model = fit(time, status, x, cause=1)
        time, status, _, x = columns(shuffled)
        moved = fit(np.exp(time / 3), status, 1000 + x / 10, cause=1)
        assert (model is None) == (moved is None)
        if model is None or moved is None or not model.converged:
            continue
        assert moved.coefficient[0] / 10 == pytest.approx(model.coefficient[0], abs=1e-6)
        assert moved.loglik == pytest.approx(model.loglik, rel=1e-9)
        assert moved.z[0] == pytest.approx(model.z[0], rel=1e-5, abs=1e-5)


def test_without_competing_events_or_ties_the_model_is_an_ordinary_cox_model() -> None:
    # Times 1 to 4, all with the event, x = 1, 0, 1, 0: the likelihood is r/(2r+2) * 1/(r+2) * r/(r+1), r = exp b.
    time, status = np.array([1.0, 2, 3, 4]), np.ones(4, dtype=int)
    model = fine_gray(time, status, [1.0, 0, 1, 0], cause=1)
    assert model is not None
    ratio = math.exp(model.coefficient[0])
    assert model.loglik_null == pytest.approx(-math.log(24))
    assert model.loglik == pytest.approx(
        2 * math.log(ratio) - math.log(2 * ratio + 2) - math.log(ratio + 2) - math.log(ratio + 1)
    )
    # The score 2 - 2r/(r+1) - r/(r+2) is 0 where r = (1 + sqrt 17) / 2.
    assert ratio == pytest.approx((1 + math.sqrt(17)) / 2)
