"""Coefficients that run away together: what is lost is a direction, and nothing else may change with the reference."""

import itertools
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reports.stats import (
    all_contrasts,
    cox,
    cox_zph,
    fine_gray,
    firth,
    robust_score,
    shared_frailty,
    subdistribution_cox,
)
from reports.stats.design import design

LEVELS = ("A", "B", "C", "D")
ORDERS = [list(LEVELS), ["B", "A", "C", "D"], ["D", "C", "B", "A"]]


def cohort(seed: int = 5, n: int = 160) -> pl.DataFrame:
    """Four groups of which A has no event; x goes with the group, so that each adjusts for the other."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 4, n)
    x = (group >= 2) * 1.0 + random.normal(0, 0.6, n)
    time = np.ceil(random.exponential(20 * np.exp(-0.5 * group - 0.3 * x)))
    code = np.where(random.random(n) < 0.6, 1, 2 * (random.random(n) < 0.5))
    return pl.DataFrame(
        {
            "time": time,
            "code": np.where(group == 0, 2 * (code > 1), code),
            "group": [LEVELS[k] for k in group],
            "x": x,
            "center": random.integers(0, 12, n),
        }
    ).with_columns(event=pl.col("code") == 1)


def fitted(levels: list[str], **more: Any) -> Any:
    columns = {"time": "time", "event": "event", "levels": {"group": levels}}
    return cox(cohort(), "group + x", **columns, **more)


def of_x(table: pl.DataFrame) -> list[float]:
    row = table.filter(pl.col("term") == "x").row(0, named=True)
    return [value for value in row.values() if isinstance(value, float)]


@pytest.mark.parametrize("more", [{}, {"cluster": "center"}, {"strata": "center"}])
def test_another_covariate_does_not_change_with_the_reference(more: dict[str, str]) -> None:
    expected = of_x(fitted(ORDERS[1], **more).table())
    assert len(expected) >= 7
    for levels in ORDERS:
        assert of_x(fitted(levels, **more).table()) == pytest.approx(expected, rel=1e-5)


def test_another_covariate_has_the_error_of_the_model_without_the_group_that_has_no_event() -> None:
    """Those without an event add nothing to the others' likelihood once their risk is 0."""
    rest = cohort().filter(pl.col("group") != "A")
    alone = cox(rest, "group + x", time="time", event="event")
    assert of_x(fitted(ORDERS[0]).table()) == pytest.approx(of_x(alone.table()), rel=1e-5)


@pytest.mark.parametrize("more", [{}, {"cluster": "center"}])
def test_two_levels_are_compared_though_the_reference_has_no_event(more: dict[str, str]) -> None:
    fits = [fitted(levels, **more) for levels in ORDERS]
    assert fits[0].statuses == ("not estimable",) * 3 + ("estimated",)
    assert fits[2].statuses == ("estimated", "estimated", "not estimable", "estimated")
    pairs = [{(c.level, c.against): c for c in all_contrasts(fit, "group")} for fit in fits]
    for level, against in itertools.combinations("BCD", 2):
        found = [of.get((against, level)) or of[level, against] for of in pairs]
        assert all(one.se == pytest.approx(found[0].se, rel=1e-5) for one in found)
        assert all(abs(one.coef) == pytest.approx(abs(found[0].coef), rel=1e-5) for one in found)
        assert found[0].lower < found[0].hr < found[0].upper
    assert all(one.coef is None for of in pairs for pair, one in of.items() if "A" in pair)


def test_a_level_against_another_is_what_its_own_reference_gives() -> None:
    table = fitted(ORDERS[1]).table().filter(pl.col("term") == "groupC").row(0, named=True)
    contrast = next(c for c in all_contrasts(fitted(ORDERS[0]), "group") if c.level == "C")
    against = next(
        c for c in all_contrasts(fitted(ORDERS[0]), "group") if (c.level, c.against) == ("C", "B")
    )
    assert contrast.hr is None
    assert (against.coef, against.se) == pytest.approx((table["coef"], table["se"]), rel=1e-6)


@pytest.mark.parametrize("terms", [True, False])
def test_proportional_hazards_do_not_change_with_the_reference(terms: bool) -> None:
    tests = [cox_zph(fitted(levels), terms=terms).tests for levels in ORDERS]
    for name in ("x", "GLOBAL", *(["group"] if terms else [])):
        rows = [one.filter(pl.col("term") == name).row(0)[1:] for one in tests]
        assert all(row == pytest.approx(rows[0], rel=1e-5) for row in rows)
        assert rows[0][0] > 0
    assert [one["df"][-1] for one in tests] == [4, 4, 4]
    if not terms:
        alone = tests[1].filter(pl.col("term") == "groupA").row(0, named=True)
        assert (alone["chi_squared"], alone["df"], alone["p"]) == (None, 1, None)


def test_a_frailty_does_not_change_with_the_reference() -> None:
    found = [shared_frailty(fitted(levels, cluster="center")) for levels in ORDERS]
    assert [one.theta for one in found] == pytest.approx([found[0].theta] * 3, rel=1e-3, abs=1e-7)
    for one in found:
        assert of_x(one.table) == pytest.approx(of_x(found[0].table), rel=1e-4)
    assert found[0].table["term"].to_list() == ["x"]
    assert found[1].table["term"].to_list() == ["groupC", "groupD", "x"]


def test_the_robust_score_does_not_change_with_the_reference() -> None:
    found = [robust_score(fitted(levels, cluster="center")) for levels in ORDERS]
    assert [one.statistic for one in found] == pytest.approx([found[0].statistic] * 3)
    assert [one.df for one in found] == [4, 4, 4]


@pytest.mark.parametrize("model", [fine_gray, subdistribution_cox])
def test_a_subdistribution_model_does_not_change_with_the_reference(model: Any) -> None:
    frame = cohort()
    fits = []
    for levels in ORDERS:
        made = design(frame, "group + x", {"group": levels})
        fits.append(model(frame["time"].to_numpy(), frame["code"].to_numpy(), made.matrix, cause=1))
    for fit in fits:
        assert not fit.converged
        for ours, theirs in [
            (fit.coefficient, fits[0].coefficient),
            (fit.std_err, fits[0].std_err),
        ]:
            assert ours[3] == pytest.approx(theirs[3], rel=1e-5)
    assert np.isnan(fits[0].std_err).tolist() == [True, True, True, False]
    assert np.isnan(fits[1].std_err).tolist() == [True, False, False, False]
    assert fits[1].std_err[1] > 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 24), st.integers(1, 2))
def test_exactly_those_combinations_are_known_that_no_separating_direction_changes(
    seed: int, n: int, strata: int
) -> None:
    """By linear programming: which pairs separate, and what the others leave unknown."""
    from scipy.linalg import null_space
    from scipy.optimize import linprog

    random = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "time": random.integers(1, 6, n),
            "event": random.random(n) < 0.6,
            "arm": [LEVELS[k] for k in random.integers(0, 4, n)],
            "x": random.integers(0, 3, n).astype(float),
            "stratum": random.integers(0, strata, n),
        }
    )
    levels = {"arm": sorted(frame["arm"].unique().to_list())}
    fit = cox(frame, "arm + x", time="time", event="event", strata="stratum", levels=levels)
    fitted_columns = np.flatnonzero(~fit.maximum.aliased)
    x = fit.design.matrix[:, fitted_columns]
    rows = frame.to_dicts()
    d = np.array(
        [
            x[i] - x[j]
            for i, j in itertools.permutations(range(n), 2)
            if rows[i]["event"]
            and rows[j]["stratum"] == rows[i]["stratum"]
            and rows[i]["time"] <= rows[j]["time"]
        ]
    )
    assume(d.size)
    # As many pairs as possible are taken apart at once, by 1 each.
    p, m = x.shape[1], len(d)
    found = linprog(
        np.concatenate([np.zeros(p), -np.ones(m)]),
        A_ub=np.hstack([-d, np.eye(m)]),
        b_ub=np.zeros(m),
        bounds=[(None, None)] * p + [(0, 1)] * m,
    )
    kept = d[found.x[p:] < 0.5]
    lost = null_space(kept) if kept.size else np.eye(p)
    pairs = [np.eye(p)[a] - np.eye(p)[b] for a, b in itertools.combinations(range(p), 2)]
    for weights in [*np.eye(p), *pairs]:
        full = np.zeros(len(fit.names))
        full[fitted_columns] = weights
        assert fit.maximum.known(full) == bool(np.all(np.abs(weights @ lost) < 1e-9))


def test_a_penalized_model_with_no_more_events_than_columns_is_not_fitted() -> None:
    """Each patient a level of their own: it would search for hours, and say nothing."""
    frame = cohort(n=30).with_columns(own=pl.int_range(30).cast(pl.String))
    fit = cox(frame, "own + x", time="time", event="event")
    assert 0 < fit.events <= fit.df
    found = firth(fit)
    assert not found.converged
    assert set(found.table.drop("term").null_count().row(0)) == {found.table.height}
    assert found.table.height == fit.df
