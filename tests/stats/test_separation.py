"""Cox models whose likelihood rises for ever: never an estimate, never a crash; what is finite in R stays an estimate."""

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import null_space
from scipy.optimize import linprog

from reports.stats import all_contrasts, cox, cox_zph, drop_one, firth
from reports.stats.hazards.risk_sets import risk_sets
from reports.stats.hazards.separation import leaders

NOT_ESTIMABLE = "not estimable"
# Two events behind and before all others: any order of risk can be made of two columns.
FIVE = {
    "t": [2, 12, 16, 19, 27],
    "e": [1, 0, 0, 1, 1],
    "x0": [-16.8, -1.6, 243.9, 109.5, 89.0],
    "x1": [50.2, -23.3, -28.3, -54.6, 81.6],
}
# Events only where x0 - x1 is 1, so x0 and x1 run away together; z and x0 + x1 do not.
TOGETHER = {
    "t": [14, 2, 12, 17, 4, 11, 18, 3, 9, 15, 22, 8, 7, 6, 5, 13, 1, 19, 20, 24, 21, 16, 10, 23],
    "e": [0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1],
    "x0": [3, 4, 4, 2, 4, 4, 3, 2, 3, 2, 2, 3, 2, 4, 3, 1, 4, 4, 1, 3, 3, 3, 2, 3],
    "x1": [3, 3, 3, 2, 3, 3, 3, 1, 2, 2, 1, 2, 2, 3, 2, 1, 3, 3, 1, 2, 2, 3, 1, 2],
    "z": [
        -0.3, 0.5, -1.0, -0.4, 0.0, 0.8, -1.3, 1.4, -0.4, 0.2, 0.8, 0.7,
        1.1, 0.2, 0.0, 0.3, -1.0, 1.2, -0.8, -1.3, 2.1, -0.1, -1.2, 1.9,
    ],
}  # fmt: skip
# Nearly taken apart: a maximum far out.
NEAR: dict[str, list[float]] = {
    "t": [3, 3, 2, 3, 1, 3],
    "e": [1, 1, 1, 1, 1, 0],
    "x0": [1.01, 1.02, 0.63, 1.02, 0.31, 1.03],
    "x1": [0.6, 0.0, -0.6, 0.7, 0.3, 2.0],
}


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def fitted(data: Any, formula: str, **more: Any) -> Any:
    return cox(data, formula, time="t", event="e", **more)


def test_two_columns_that_order_all_events_are_not_estimable() -> None:
    """R: coxph(Surv(t, e) ~ x0 + x1) ran out of iterations at -6.05 (137) and -1.03 (23)."""
    fit = fitted(FIVE, "x0 + x1")
    assert fit.statuses == (NOT_ESTIMABLE, NOT_ESTIMABLE)
    table = fit.table()
    assert table.drop("term", "status").null_count().row(0) == (2,) * (table.width - 2)
    assert cox_zph(fit).tests["p"].to_list() == [None, None, None]
    assert np.isnan(fit.wald().statistic)
    assert fit.concordance().value == 1


@pytest.mark.parametrize("n", [5, 30, 60, 139])
@pytest.mark.parametrize("more", [{}, {"cluster": "c"}, {"entry": "n"}])
def test_an_age_that_rises_with_time_is_not_estimable(n: int, more: dict[str, str]) -> None:
    """R: coxph(Surv(t) ~ age) with n = 30 ran out of iterations at -17.5 with a standard error of 1,151."""
    time = np.arange(1, n + 1) * 10.0
    data = {"t": time, "e": [1] * n, "age": 19 + time / 10, "c": np.arange(n) % 5, "n": time / 2}
    fit = fitted(data, "age", **more)
    assert fit.statuses == (NOT_ESTIMABLE,)
    cox_zph(fit)
    drop_one(fit)


def test_a_penalized_model_stays_finite_where_the_age_rises_with_time() -> None:
    n = 30
    data = {"t": np.arange(1, n + 1) * 10, "e": [1] * n, "age": 20 + np.arange(n)}
    row = firth(fitted(data, "age")).table.row(0, named=True)
    assert row["coef"] < 0 < row["se"] < abs(row["coef"])
    assert 0 < row["hr_lower"] < row["hr"] < row["hr_upper"] < 1
    assert 0 < row["p"] < 1e-6


@pytest.mark.parametrize("n", [10, 60, 86, 100, 120])
def test_a_penalized_age_that_rises_with_time_is_near_the_maximum_worked_out_by_hand(
    n: int,
) -> None:
    """The next in line is ahead by 1: -(n - 1) exp(b) + log(information) / 2 with information ~ exp(b), so exp(b) = 1 / (2 (n - 1))."""
    data = {"t": np.arange(1, n + 1), "e": [1] * n, "age": np.arange(n)}
    found = firth(fitted(data, "age"))
    assert found.converged
    assert found.table["coef"][0] == pytest.approx(-np.log(2 * (n - 1)), abs=0.6 / n)


def test_a_penalized_model_beyond_the_range_of_numbers_is_not_fitted() -> None:
    n = 200
    data = {"t": np.arange(1, n + 1), "e": [1] * n, "age": np.arange(n)}
    found = firth(fitted(data, "age"))
    assert not found.converged
    assert found.table.drop("term").null_count().row(0) == (1,) * 6


def test_what_runs_away_together_leaves_the_others_as_in_r() -> None:
    """R: coxph(Surv(t, e) ~ x0 + x1 + z), which warns of variables 1 and 2; z and the log likelihood."""
    fit = fitted(TOGETHER, "x0 + x1 + z")
    assert fit.statuses == (NOT_ESTIMABLE, NOT_ESTIMABLE, "estimated")
    assert fit.coef[2] == pytest.approx(-0.0580743162646, rel=1e-6)
    assert fit.std_err[2] == pytest.approx(0.260979687528, rel=1e-6)
    assert fit.loglik == pytest.approx(-18.3844089834, rel=1e-9)
    tests = cox_zph(fit).tests.filter(pl.col("term") == "z").row(0, named=True)
    assert tests["chi_squared"] == pytest.approx(1.884596936701, rel=1e-6)


def test_what_runs_away_together_has_a_sum_as_in_r() -> None:
    """R: coxph(Surv(t, e) ~ I(x0 - x1) + x1 + z): x1 is then the sum of both, 0.81969 (0.57170)."""
    fit = fitted(TOGETHER, "x0 + x1 + z")
    both = np.array([1.0, 1.0, 0.0])
    assert fit.maximum.known(both)
    assert not fit.maximum.known(np.array([1.0, -1.0, 0.0]))
    assert both @ fit.maximum.coef == pytest.approx(0.8196939398319, rel=1e-6)
    assert np.sqrt(both @ fit.covariance @ both) == pytest.approx(0.571702368017, rel=1e-6)


def test_beside_a_separated_number_another_is_the_one_stratified_by_it_as_in_r() -> None:
    """R: coxph(Surv(t, e) ~ y + z) runs out of iterations for y; its z is that of z + strata(y), which is the limit."""
    random = np.random.default_rng(7)
    n = 40
    data = {
        "t": np.arange(1.0, n + 1),
        "e": (random.random(n) < 0.6).astype(int),
        "y": np.sort(random.integers(0, 12, n)).astype(float),
        "z": random.normal(0, 1, n),
    }
    fit, within = fitted(data, "y + z"), fitted(data, "z", strata="y")
    assert fit.statuses == (NOT_ESTIMABLE, "estimated")
    assert fit.coef[1] == pytest.approx(within.coef[0], rel=1e-5)
    assert fit.std_err[1] == pytest.approx(within.std_err[0], rel=1e-5)


def test_a_maximum_far_out_is_an_estimate_as_in_r() -> None:
    """R: coxph(Surv(t, e) ~ x0 + x1), without a warning."""
    fit = fitted(NEAR, "x0 + x1")
    assert fit.statuses == ("estimated", "estimated")
    assert fit.coef == pytest.approx([-60.86197760473, -1.13947349981], rel=1e-6)
    assert fit.std_err == pytest.approx([104.84172903758, 1.29619904848], rel=1e-6)
    assert fit.loglik == pytest.approx(-2.09311255771, rel=1e-9)


def test_a_limit_too_large_for_a_number_is_none() -> None:
    """The same in thousandths: exp(-60862 + 1.96 x 104842) has no double."""
    data = {**NEAR, "x0": [value / 1000 for value in NEAR["x0"]]}
    row = fitted(data, "x0 + x1").table().row(0, named=True)
    assert row["se"] == pytest.approx(104841.72903758, rel=1e-6)
    assert (row["hr_lower"], row["hr_upper"]) == (None, None)


def test_two_levels_are_compared_without_limits_too_large_for_a_number() -> None:
    """A covariance a thousand million times too large stands for data that say next to nothing."""
    random = np.random.default_rng(0)
    n = 60
    data = {
        "t": np.arange(1.0, n + 1),
        "e": [1] * n,
        "g": [*"ABC"] * (n // 3),
        "x": random.normal(0, 1, n),
    }
    fit = fitted(data, "g + x")
    pair = all_contrasts(fit, "g")[0]
    assert pair.hr is not None
    assert pair.lower is not None
    wide = replace(fit.maximum, covariance=fit.maximum.covariance * 1e9)
    pair = all_contrasts(replace(fit, maximum=wide), "g")[0]
    assert pair.hr is not None
    assert (pair.lower, pair.upper) == (None, None)


def ordered_pairs(data: dict[str, Any], x: Any) -> Any:
    """Of each event and each of those at risk with it: how far it is ahead, a row per pair."""
    time, entry, stratum = (np.asarray(data[name]) for name in ("t", "n", "s"))
    rows = [
        x[i] - x[j]
        for i, j in itertools.product(range(time.size), repeat=2)
        if data["e"][i] and time[j] >= time[i] > entry[j] and stratum[i] == stratum[j] and i != j
    ]
    return np.array(rows).reshape(-1, x.shape[1])


def separated(pairs: Any, p: int) -> Any:
    """Columns that a direction moves along which no pair falls and one rises; all pairs in one programme."""
    m = len(pairs)
    found = linprog(
        np.concatenate([np.zeros(p), -np.ones(m)]),
        A_ub=np.hstack([-pairs, np.eye(m)]),
        b_ub=np.zeros(m),
        bounds=[(None, None)] * p + [(0, 1)] * m,
    )
    kept = pairs[found.x[p:] < 0.5]
    lost = null_space(kept, rcond=1e-8) if kept.size else np.eye(p)
    return np.any(np.abs(lost) > 1e-5, axis=1)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 30), st.sampled_from([0.1, 0.5, 0.9]))
def test_exactly_the_separated_numbers_are_not_estimable(seed: int, n: int, share: float) -> None:
    random = np.random.default_rng(seed)
    time = random.integers(1, random.choice([5, 2000]), n).astype(float)
    scale = random.choice([1, 100])
    data = {
        "t": time,
        "e": (random.random(n) < share).astype(int),
        "n": time - random.integers(1, 2000, n),
        "s": random.integers(0, random.choice([1, 3]), n),
        "x": np.round(scale * (time / time.max() + random.normal(0, 0.3, n)), 2),
        "y": np.round(random.lognormal(3, 2, n), 2),
        "z": random.integers(0, 3, n).astype(float),
    }
    fit = fitted(data, "x + y + z", entry="n", strata="s")
    used = np.flatnonzero(~fit.maximum.aliased)
    x = fit.design.matrix[:, used]
    pairs = ordered_pairs(data, (x - x.mean(axis=0)) / x.std(axis=0)) if used.size else np.zeros(0)
    assume(pairs.size)
    assert fit.maximum.infinite[used].tolist() == separated(pairs, used.size).tolist()
    for row in fit.table().filter(pl.col("status") == "estimated").iter_rows(named=True):
        assert row["se"] > 1e-8
    cox_zph(fit)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.booleans())
def test_the_leader_of_each_risk_set_has_its_largest_value(seed: int, n: int, late: bool) -> None:
    random = np.random.default_rng(seed)
    time = random.integers(1, 12, n).astype(float)
    entry = time - random.integers(1, 12, n).astype(float) if late else None
    event, stratum = random.random(n) < 0.5, random.integers(0, 2, n)
    assume(event.any())
    rows = risk_sets(time, event, entry=entry, stratum=stratum)
    values = random.integers(0, 6, n).astype(float)
    first = leaders(rows, values)
    starts = np.full(n, -1.0) if rows.entry is None else rows.entry
    for place, point in zip(rows.events, rows.point, strict=True):
        at_risk = (
            (rows.stratum == rows.stratum[place])
            & (rows.time >= rows.time[place])
            & (starts < rows.time[place])
        )
        assert at_risk[first[point]]
        assert values[first[point]] == values[at_risk].max()
