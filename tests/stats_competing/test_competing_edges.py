"""What cannot be estimated is told so: no crash, no number."""

import time as clock

import numpy as np
import pytest

from reports.stats.competing.aalen_johansen import aalen_johansen, states_at
from reports.stats.competing.fine_gray import fine_gray
from reports.stats.competing.fine_gray_cox import subdistribution_cox
from reports.stats.competing.gray import gray_test
from reports.stats.competing.incidence import cumulative_incidence, incidence_at
from reports.stats.competing.sandwich import censoring_residuals, score_residuals
from reports.stats.competing.subdistribution import maximize, prepare

TIME = np.array([1.0, 2, 3, 4, 5, 6, 7, 8])
STATUS = np.array([1, 2, 0, 1, 2, 1, 0, 1])
GROUP = np.array(list("abababab"))


def test_one_group_has_no_gray_test() -> None:
    assert gray_test(TIME, STATUS, np.full(8, "a"), cause=1) is None


def test_a_stratum_without_the_cause_adds_nothing() -> None:
    alone = gray_test(TIME, STATUS, GROUP, cause=1)
    time, group = np.concatenate([TIME, TIME]), np.concatenate([GROUP, GROUP])
    status = np.concatenate([STATUS, np.where(STATUS == 1, 2, STATUS)])
    both = gray_test(time, status, group, cause=1, strata=np.repeat(["u", "v"], 8))
    assert alone is not None
    assert both is not None
    assert both.statistic == pytest.approx(alone.statistic)


def test_a_cause_that_never_happens_has_no_test_and_no_model() -> None:
    assert gray_test(TIME, STATUS, GROUP, cause=3) is None
    assert fine_gray(TIME, STATUS, TIME, cause=3) is None
    assert subdistribution_cox(TIME, STATUS, TIME, cause=3) is None


@pytest.mark.parametrize("fit", [fine_gray, subdistribution_cox])
def test_a_constant_covariate_is_not_estimable(fit: type) -> None:
    assert fit(TIME, STATUS, np.full(8, 3.0), cause=1) is None


def test_a_repeated_covariate_stops_crr_and_is_aliased_in_the_weighted_cox_model() -> None:
    # R 4.2: crr stops, the system is singular; coxph gives NA for the second column alone.
    x = np.array([1.0, 0, 2, 1, 0, 2, 1, 0])
    both = np.column_stack([x, 2 * x + 1])
    assert fine_gray(TIME, STATUS, both, cause=1) is None
    model = subdistribution_cox(TIME, STATUS, both, cause=1)
    alone = subdistribution_cox(TIME, STATUS, x, cause=1)
    assert model is not None
    assert alone is not None
    assert model.aliased.tolist() == [False, True]
    for mine, other in (
        (model.coefficient, alone.coefficient),
        (model.robust_std_err, alone.robust_std_err),
    ):
        assert mine[0] == pytest.approx(other[0], rel=1e-9)
        assert np.isnan(mine[1])
    assert model.loglik == pytest.approx(alone.loglik, rel=1e-12)


@pytest.mark.parametrize("fit", [fine_gray, subdistribution_cox])
def test_a_level_without_an_event_is_not_a_number_and_the_other_term_still_is(fit: type) -> None:
    random = np.random.default_rng(4)
    level, other = np.repeat([0.0, 1.0], 30), random.normal(size=60)
    status = np.where(level == 1, random.choice([0, 2], 60), random.choice([0, 1, 2], 60))
    time = random.exponential(10, 60)
    model = fit(time, status, np.column_stack([level, other]), cause=1)
    assert not model.converged
    for values in (model.coefficient, model.std_err, model.p, model.lower, model.upper):
        assert np.isnan(values[0])
        assert np.isfinite(values[1])
    # The persons of the level stay in the risk sets with a weight that goes to 0.
    alone = fit(time[level == 0], status[level == 0], other[level == 0], cause=1)
    assert model.coefficient[1] == pytest.approx(alone.coefficient[0], abs=0.2)


@pytest.mark.parametrize("fit", [fine_gray, subdistribution_cox])
def test_large_covariates_do_not_overflow(fit: type) -> None:
    x = np.array([1.0, 0, 2, 1, 0, 2, 1, 0])
    near = fit(TIME, STATUS, x, cause=1)
    far = fit(TIME, STATUS, x * 1e4 + 1e7, cause=1)
    assert far.coefficient[0] * 1e4 == pytest.approx(near.coefficient[0], rel=1e-6)


def test_everybody_censored_has_no_curves() -> None:
    nobody = np.zeros(8, dtype=int)
    assert cumulative_incidence(TIME, nobody, GROUP) == ()
    assert aalen_johansen(TIME, nobody, GROUP) == ()
    assert incidence_at((), TIME).height == 0
    assert states_at((), TIME).height == 0


def test_after_the_last_time_of_a_group_nothing_is_known() -> None:
    curves = cumulative_incidence(TIME, STATUS, GROUP)
    found = incidence_at(curves, np.array([7.5])).sort("group", "cause")
    assert found["group"].to_list() == ["a", "a", "b", "b"]
    assert [value is None for value in found["incidence"]] == [True, True, False, False]


def test_a_cause_absent_from_one_group_has_incidence_zero_there() -> None:
    status = np.where(GROUP == "b", 2, 1)
    found = incidence_at(cumulative_incidence(TIME, status, GROUP), np.array([6.0]))
    rows = {(row["group"], row["cause"]): row for row in found.to_dicts()}
    assert rows["b", 1]["incidence"] == 0
    assert rows["b", 1]["lower"] is None
    assert rows["a", 1]["incidence"] == pytest.approx(3 / 4)


def test_two_events_of_four_at_one_time_by_hand() -> None:
    # 4 persons: one of each cause at time 1, one censored at 2, one with the cause at 3.
    time, status = np.array([1.0, 1, 2, 3]), np.array([1, 2, 0, 1])
    curve = cumulative_incidence(time, status)[0]
    assert curve.time.tolist() == [1.0, 3.0]
    assert curve.incidence == pytest.approx([1 / 4, 3 / 4])
    # At time 1: S falls from 1 to 1/2 and F to 1/4. The own event moves F by 1, the other by 0; 1/16 each.
    assert curve.variance[0] == pytest.approx(1 / 16)


def test_equal_times_up_to_noise_are_one_time_for_the_states() -> None:
    noisy = TIME + np.array([0, 0, 1e-10, 0, -1e-10, 0, 0, 0])
    noisy[4] = noisy[3] + 1e-10
    exact = noisy.copy()
    exact[4] = exact[3]
    merged, expected = aalen_johansen(noisy, STATUS), aalen_johansen(exact, STATUS)
    for ours, theirs in zip(merged, expected, strict=True):
        assert ours.incidence == pytest.approx(theirs.incidence)
        assert ours.std_err == pytest.approx(theirs.std_err)


@pytest.mark.parametrize(
    ("time", "status"),
    [([1.0, np.nan], [1, 0]), ([-1.0, 2], [1, 0]), ([1.0, 2], [1]), ([1.0, 2], [0.5, 1])],
)
def test_data_that_cannot_be_times_and_codes_are_refused(
    time: list[float], status: list[float]
) -> None:
    with pytest.raises(ValueError, match="times|value for each row|whole number"):
        cumulative_incidence(np.array(time), np.array(status))


def test_missing_covariates_and_the_censoring_code_as_cause_are_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        fine_gray(TIME, STATUS, np.array([1.0, np.nan, 1, 2, 3, 4, 5, 6]), cause=1)
    with pytest.raises(ValueError, match="censored"):
        fine_gray(TIME, STATUS, TIME, cause=0)
    with pytest.raises(ValueError, match="censored"):
        gray_test(TIME, STATUS, GROUP, cause=0)


def test_the_censoring_term_is_what_leaving_a_person_out_changes_beyond_the_score() -> None:
    random = np.random.default_rng(3)
    n = 200
    groups = random.integers(0, 2, n)
    x = random.normal(size=n) + groups
    event = random.exponential(10 * np.exp(-0.5 * x))
    censored = random.exponential(np.where(groups == 1, 4, 20))
    status = np.where(censored < event, 0, random.choice([1, 2], n))
    order = np.argsort(np.minimum(event, censored))
    time, status, x = np.minimum(event, censored)[order], status[order], x[order, None]
    groups = groups[order]
    rule = {"cause": 1, "censor": 0, "rule": "all at risk", "efron": False}
    problem = prepare(time, status, x, groups, **rule)
    found = maximize(problem)
    assert found is not None
    changes = []
    for person in range(n):
        left = np.arange(n) != person
        other = maximize(prepare(time[left], status[left], x[left], groups[left], **rule))
        assert other is not None
        changes.append(found.coefficients[0] - other.coefficients[0])
    score = score_residuals(problem, found.state)[:, 0] / found.state.information[0, 0]
    censoring = censoring_residuals(problem, found.state)[:, 0] / found.state.information[0, 0]
    beyond = np.array(changes) - score
    # What is left are terms of second order, of no sign: they blur, but do not bend.
    assert np.corrcoef(beyond, censoring)[0, 1] > 0.6
    assert 0.8 < np.polyfit(censoring, beyond, 1)[0] < 1.6


def test_ten_thousand_persons_with_four_covariates_take_less_than_a_second() -> None:
    random = np.random.default_rng(1)
    time, status = random.exponential(1000, 10_000), random.integers(0, 3, 10_000)
    matrix = random.normal(size=(10_000, 4))
    start = clock.perf_counter()
    model = fine_gray(time, status, matrix, cause=1)
    assert clock.perf_counter() - start < 1
    assert model is not None
    assert model.converged
