"""Firth's penalized Cox model: finite hazard ratios where a level has no event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from reports.stats.hazards.fit import CoxFit
from reports.stats.hazards.likelihood import Likelihood, likelihood
from reports.stats.hazards.risk_sets import RiskSets
from reports.stats.times import Bools, Floats

MAX_STEPS, AT_REST = 200, 1e-9
# A search that stops before a longer step (of the predictor) has not come to its maximum.
NEAR = 1e-5
# A step of Newton that promises less has come to rest as well: 1e-9 standard errors, whatever is left is rounding.
FLAT = 1e-18
# Of the sum of the predictors of all rows: how far rounding moves the log likelihood (4 times what was seen).
ROUNDING = 4e-15
# No limit is looked for beyond this many standard errors or units of the predictor.
FAR = 60.0
NUMBERS = ("coef", "se", "hr", "hr_lower", "hr_upper", "p")
SCHEMA = {"term": pl.String, **dict.fromkeys(NUMBERS, pl.Float64)}


@dataclass(frozen=True)
class FirthFit:
    """The penalized fit of the columns of a model that are not aliased.

    `table`: term, coef, se, hr, hr_lower, hr_upper (profile limits), p (penalized likelihood ratio); null where there
    is none. `loglik` includes the penalty. With no more events than columns nothing is fitted: all is null, and
    `converged` is False. So it is, with the log likelihood where the search ended, where the maximum is so far out that
    the risks have no numbers.
    """

    table: pl.DataFrame
    loglik: float
    loglik_null: float
    converged: bool


@np.errstate(all="ignore")  # far out risks vanish; what is then no number is not taken
def firth(fit: CoxFit) -> FirthFit:
    """The same model, penalized by half the log determinant of the information.

    Limits and P are by the penalized likelihood ratio: with no event in a level, those by the standard error
    say nothing.

    Source:
        Heinze and Schemper 2001 (Biometrics 57, 114-119); the penalty of the model without a column is its own
        where the test fixes it at 0 within the full model.
    """
    from scipy.special import chdtrc, chdtri

    rows = fit.maximum.at_maximum.rows
    columns = np.flatnonzero(~fit.maximum.aliased)
    if 0 < fit.events <= columns.size:
        return _not_fitted([fit.names[k] for k in columns])
    x = fit.design.matrix[rows.order][:, columns]
    scale = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0) if x.size else np.ones(columns.size)
    model = _Model(rows, (x - x.mean(axis=0)) / scale if x.size else x)
    everything = np.ones(columns.size, dtype=bool)
    best = model.maximize(np.zeros(columns.size), everything)
    if not best.converged:
        return _not_fitted([fit.names[k] for k in columns], best.value)
    drop = float(chdtri(1, 1 - fit.level)) / 2
    error = model.errors(best) if columns.size else scale
    table = []
    for k in range(columns.size):
        at_zero = model.fixed(best.coef, k, 0.0)
        gain = max(2 * (best.value - at_zero.value), 0.0)
        p = float(chdtrc(1, gain)) if at_zero.converged else None
        lower, upper = (model.limit(best, k, side * error[k], drop) for side in (-1, 1))
        coef = float(best.coef[k] / scale[k])
        ends = [None if end is None else _finite(np.exp(end / scale[k])) for end in (lower, upper)]
        name = fit.names[columns[k]]
        table.append((name, coef, float(error[k] / scale[k]), float(np.exp(coef)), *ends, p))
    null = model.point(np.zeros(columns.size)).value
    # The determinant was taken in scaled columns.
    units = float(np.log(scale).sum())
    frame = pl.DataFrame(table, SCHEMA, orient="row")
    return FirthFit(frame, best.value + units, null + units, best.converged)


def _not_fitted(names: list[str], loglik: float = float("nan")) -> FirthFit:
    table = pl.DataFrame([(name, *[None] * len(NUMBERS)) for name in names], SCHEMA, orient="row")
    return FirthFit(table, loglik, float("nan"), converged=False)


class _UnsettledError(Exception):
    """The other columns have no maximum at this value."""


@dataclass(frozen=True)
class _Point:
    coef: Floats
    at: Likelihood
    value: float
    converged: bool = True


@dataclass(frozen=True)
class _Model:
    rows: RiskSets
    x: Floats

    def point(self, coef: Floats) -> _Point:
        at = likelihood(self.rows, self.x, coef)
        information = at.information()
        if not (np.isfinite(at.loglik) and np.isfinite(information).all()):
            return _Point(coef, at, -np.inf)
        sign, log_determinant = np.linalg.slogdet(information) if coef.size else (1.0, 0.0)
        value = at.loglik + log_determinant / 2 if sign > 0 else -np.inf
        return _Point(coef, at, float(value) if np.isfinite(value) else -np.inf)

    def maximize(self, start: Floats, free: Bools) -> _Point:
        """Newton steps over the free columns, halved until the penalized likelihood does not fall beyond rounding."""
        here = self.point(start)
        for _ in range(MAX_STEPS if free.any() else 0):
            information = here.at.information()
            step = np.zeros_like(start)
            try:
                score: Floats = here.at.score + _penalty_score(here.at, _inverse(information)) / 2
                step[free] = np.linalg.solve(information[np.ix_(free, free)], score[free])
            except np.linalg.LinAlgError:  # so far out the data say nothing more
                return _Point(here.coef, here.at, here.value, converged=False)
            if not np.isfinite(step).all():
                return _Point(here.coef, here.at, here.value, converged=False)
            whole, promised = float(np.abs(step).max()), float(score @ step)
            step *= min(1.0, 5.0 / max(whole, 1e-300))
            lowest = here.value - 1e-12 - ROUNDING * float(np.abs(self.x @ here.coef).sum())
            there = self.point(here.coef + step)
            while there.value < lowest and np.abs(step).max() > AT_REST:
                step = step / 2
                there = self.point(here.coef + step)
            if not there.value >= lowest:
                # No part of the step is better. Near the maximum that is rounding, else the end of the numbers.
                return replace(here, converged=whole <= NEAR)
            here = there
            if np.abs(step).max() <= AT_REST or (whole <= NEAR and promised <= FLAT):
                return replace(here, converged=whole <= NEAR)
        return _Point(here.coef, here.at, here.value, converged=not free.any())

    def errors(self, best: _Point) -> Floats:
        """Standard errors; NaN where the information at the maximum has no inverse."""
        try:
            return np.sqrt(np.diag(_inverse(best.at.information())))
        except np.linalg.LinAlgError:
            return np.full(best.coef.size, np.nan)

    def fixed(self, start: Floats, column: int, value: float) -> _Point:
        """The maximum over the other columns."""
        coef, free = start.copy(), np.ones(start.size, dtype=bool)
        coef[column], free[column] = value, False
        return self.maximize(coef, free)

    def limit(self, best: _Point, column: int, step: float, drop: float) -> float | None:
        """Where the profile likelihood has fallen by `drop`; None if it never does, or none is found."""

        def above(value: float) -> float:
            point = self.fixed(best.coef, column, value)
            if not point.converged:
                raise _UnsettledError
            return point.value - best.value + drop

        near = float(best.coef[column])
        far = near + 2 * step
        if not np.isfinite(far):
            return None
        try:
            while above(far) > 0:
                if abs(far - near) > FAR:
                    return None
                far += 2 * step
            return _root(above, near, far)
        except _UnsettledError:
            return None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _inverse(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _root(function: Callable[[float], float], near: float, far: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, near, far, xtol=1e-10, rtol=1e-12))


def _penalty_score(at: Likelihood, inverse: Floats) -> Floats:
    """Derivative of log |information|: the third central moments of the risk sets, weighted by the inverse.

    As in the information, sums over risk sets are sums over rows of what each row's passed hazard gives.
    """
    turned = at.x @ inverse
    size = (turned * at.x).sum(axis=1)
    passed_mean = at.passed_hazard(at.mean * at.hazard[:, None])
    per_row = at.passed_hazard(at.hazard) * size - 2 * (turned * passed_mean).sum(axis=1)
    mean_size = at.step_mean(size)
    square = ((at.mean @ inverse) * at.mean).sum(axis=1)
    per_event = at.rows.step_weight * (mean_size - 2 * square)
    derivative: Floats = at.x.T @ (at.risk * per_row) - at.mean.T @ per_event
    return derivative
