"""Competing risks at their limits: separation, an aliased column, an incidence of 1, groups without an event."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from reports.stats.competing.aalen_johansen import aalen_johansen, states_at
from reports.stats.competing.fine_gray import fine_gray
from reports.stats.competing.fine_gray_cox import subdistribution_cox
from reports.stats.logrank import pairwise_log_rank

MODELS = (fine_gray, subdistribution_cox)
# The cause only where x0 - x1 is 1.
TIME = [14, 2, 12, 17, 4, 11, 18, 3, 9, 15, 22, 8, 7, 6, 5, 13, 1, 19, 20, 24, 21, 16, 10, 23]
CAUSE = [2, 1, 1, 0, 2, 1, 2, 0, 1, 0, 1, 1, 0, 2, 1, 0, 1, 1, 2, 2, 0, 2, 2, 1]
X0 = [3, 4, 4, 2, 4, 4, 3, 2, 3, 2, 2, 3, 2, 4, 3, 1, 4, 4, 1, 3, 3, 3, 2, 3]
X1 = [3, 3, 3, 2, 3, 3, 3, 1, 2, 2, 1, 2, 2, 3, 2, 1, 3, 3, 1, 2, 2, 3, 1, 2]
Z = [
    -0.3, 0.5, -1.0, -0.4, 0.0, 0.8, -1.3, 1.4, -0.4, 0.2, 0.8, 0.7,
    1.1, 0.2, 0.0, 0.3, -1.0, 1.2, -0.8, -1.3, 2.1, -0.1, -1.2, 1.9,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_separated_subdistribution_leaves_the_others_as_in_r() -> None:
    """R: crr(t, s, cbind(x0, x1, z), gtol = 1e-10, maxiter = 50): 25.8 (889), -25.4 (889) and z."""
    fit = fine_gray(TIME, CAUSE, np.column_stack([X0, X1, Z]), cause=1)
    assert fit is not None
    assert not fit.converged
    assert np.isnan(fit.coefficient).tolist() == [True, True, False]
    assert np.isnan(fit.std_err).tolist() == [True, True, False]
    assert fit.coefficient[2] == pytest.approx(0.034385060429, rel=1e-6)
    assert fit.std_err[2] == pytest.approx(0.228815053075, rel=1e-6)


def test_a_separated_weighted_model_leaves_the_others_as_in_r() -> None:
    """R: coxph(Surv(fgstart, fgstop, fgstatus) ~ x0 + x1 + z, finegray(...), weight = fgwt, cluster = id)."""
    fit = subdistribution_cox(TIME, CAUSE, np.column_stack([X0, X1, Z]), cause=1)
    assert fit is not None
    assert np.isnan(fit.coefficient).tolist() == [True, True, False]
    found = fit.coefficient[2], fit.std_err[2], fit.robust_std_err[2]
    assert found == pytest.approx((0.034385060429, 0.290282698504, 0.225491336161), rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n", [6, 30, 139])
def test_an_age_that_falls_with_time_is_not_estimable(model: Any, n: int) -> None:
    """Everyone with the cause is the oldest at risk; those with the other event are the youngest of all."""
    time, age = np.arange(1, n + 1), 100.0 - np.arange(n)
    cause = np.where(np.arange(n) < n - 2, 1, 2)
    fit = model(time, cause, np.column_stack([age, np.arange(n) % 2]), cause=1)
    assert fit is not None
    assert not fit.converged
    assert np.isnan([fit.coefficient, fit.std_err, fit.lower, fit.upper, fit.p]).all()


@pytest.mark.parametrize("model", MODELS)
def test_one_with_the_other_event_stays_at_risk_and_stops_the_separation(model: Any) -> None:
    """The oldest had the other event first: no censoring, so it counts as at risk to the end."""
    n = 30
    age = 100.0 - np.arange(n)
    cause = np.where(np.arange(n) == 0, 2, 1)
    fit = model(np.arange(1, n + 1), cause, age[:, None], cause=1)
    assert fit is not None
    assert fit.converged
    assert 0 < fit.std_err[0] < np.inf


def test_only_the_aliased_column_is_without_numbers_as_in_r() -> None:
    """R: finegray and coxph of ~ a + b + x, where b is 1 - a: NA for b, the rest as without it."""
    time = [5, 26, 12, 7, 4, 8, 11, 25, 20, 10, 23, 16, 22, 18, 30, 2, 13, 28, 19, 17, 14, 9, 1, 6]
    cause = [1, 1, 1, 2, 1, 1, 0, 1, 2, 1, 1, 0, 1, 2, 2, 1, 1, 1, 1, 0, 1, 1, 0, 0]
    a = np.array([0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1])
    x = [
        0.8, 0.8, -0.3, 1.7, -0.8, 0.3, -2.3, -0.2, 1.1, -0.5, -0.9, 0.7,
        -0.8, 0.3, -1.7, -1.4, -0.5, -1.0, 1.4, 0.9, -0.8, 0.6, 0.9, 0.3,
    ]  # fmt: skip
    fit = subdistribution_cox(time, cause, np.column_stack([a, 1 - a, x]), cause=1)
    assert fit is not None
    assert fit.converged
    assert fit.aliased.tolist() == [False, True, False]
    missing = float("nan")
    expected = {
        "coefficient": [0.647221922909, missing, -0.180968127467],
        "std_err": [0.520855801116, missing, 0.251382613480],
        "robust_std_err": [0.487027878837, missing, 0.263088328107],
        "p": [0.183873799570, missing, 0.491540492823],
    }
    for name, values in expected.items():
        assert getattr(fit, name) == pytest.approx(values, rel=1e-6, nan_ok=True)
    assert (fit.loglik_null, fit.loglik) == pytest.approx((-37.5596382900, -36.4910344812))


def test_an_incidence_that_rounding_leaves_below_one_has_no_loglog_limits() -> None:
    """R: survfit(Surv(t, s) ~ g, conf.type = "log-log") gives NaN at an incidence of 1."""
    below = []
    for n in range(3, 60):
        times = [*range(1, n + 1), 1.5]
        groups = ["A"] * n + ["B"]
        curves = aalen_johansen(times, [1] * n + [2], groups)
        last = states_at(curves, np.array([float(n)]), conf_type="log-log").row(0, named=True)
        assert last["incidence"] == pytest.approx(1)
        assert (last["lower"], last["upper"]) == (None, None)
        below.append(last["incidence"] < 1)
    assert any(below)


def test_two_groups_without_an_event_count_among_the_pairs_as_in_r() -> None:
    """R: pchisq(survdiff(...)$chisq, 1, lower.tail = FALSE) per pair, and p.adjust(p, "holm")."""
    time, seen = [3, 5, 7, 2, 4, 6, 1, 3, 8], [1, 0, 1, 0, 0, 0, 0, 0, 0]
    pairs = pairwise_log_rank(time, seen, [*"aaabbbccc"])
    assert [(pair.first, pair.second) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.chi_squared for pair in pairs] == pytest.approx([2 / 3, 1.65306122449, 0.0])
    assert [pair.p for pair in pairs] == pytest.approx([0.414216178243, 0.198542793687, 1.0])
    assert [pair.holm for pair in pairs] == pytest.approx([0.828432356485, 0.595628381060, 1.0])
