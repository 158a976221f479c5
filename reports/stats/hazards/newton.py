"""Maximizing the partial likelihood; aliased columns and separation are found, not fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.stats.hazards.likelihood import Likelihood, likelihood
from reports.stats.hazards.risk_sets import RiskSets
from reports.stats.times import Bools, Floats

MAX_STEPS = 80
# R takes the point after which the log likelihood changes by no more than this share of itself.
R_STOPS = 1e-9
MAX_HALVINGS = 30
# A step is at rest if it moves no linear predictor by more than this.
AT_REST = 1e-10
# Where R has stopped, a next step this small says that the maximum is near: steps shrink by their squares.
SETTLED = 1e-4
# The likelihood is at rest, but steps still move predictors by this much: the maximum is at infinity.
STILL_MOVING, FLAT, FLAT_STEPS = 1e-2, 1e-11, 4
# A standard error that moves a predictor by more than this has no information behind it (R's are in the thousands).
NO_INFORMATION = 500.0
# Share of a column's variance that must be left after the columns before it.
LEFT = 1e-10


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is largest, per column of x in the caller's units.

    `aliased` columns say nothing that those before them do not; `infinite` ones have no finite maximum
    (separation). Both have coefficient 0 in `coef` resp. where the search stopped, and no meaning.
    """

    coef: Floats
    aliased: Bools
    infinite: Bools
    variance: Floats
    at_zero: Likelihood
    at_maximum: Likelihood
    steps: int
    converged: bool

    @property
    def used(self) -> Bools:
        """Columns with a finite coefficient."""
        return ~self.aliased & ~self.infinite


def maximize(rows: RiskSets, x: Floats, offset: Floats | None = None) -> Maximum:
    """Newton's method with step halving.

    What is given is the point at which R stops, so that its numbers come out to the last digits (it stops up to
    6e-7 standard errors early). Further steps only find out whether the maximum is finite.

    Args:
        rows: The sorted rows.
        x: Covariates in the order of `rows`, in any units.
        offset: Added to the linear predictor.
    """
    scale = _scale(x)
    scaled = (x - x.mean(axis=0)) / scale if x.size else x
    start = here = likelihood(rows, scaled, np.zeros(x.shape[1]), offset)
    aliased = find_aliased(start)
    used = scaled[:, ~aliased]
    coef = np.zeros(used.shape[1])
    if aliased.any():
        start = here = likelihood(rows, used, coef, offset)
    spread = np.ptp(used, axis=0) if used.size else np.zeros(used.shape[1])
    step = np.zeros_like(coef)
    converged, flat, taken = coef.size == 0, 0, 0
    stopped: tuple[Floats, Likelihood] | None = None
    while not converged and flat < FLAT_STEPS and taken < MAX_STEPS:
        newton = _solve(here.information(), here.score)
        if stopped is not None and float(np.max(np.abs(newton) * spread)) <= SETTLED:
            converged = True
            break
        step, there = _step(here, newton, coef, offset)
        if there is here:
            # No part of the step raises the likelihood, though it is not at its maximum: rounding.
            step = newton
            break
        gain = there.loglik - here.loglik
        if stopped is None and abs(there.loglik - here.loglik) <= R_STOPS * abs(there.loglik):
            stopped = coef + step, there
        coef, here, taken = coef + step, there, taken + 1
        moves = float(np.max(np.abs(step) * spread))
        converged = moves <= AT_REST
        flat = flat + 1 if gain <= FLAT * max(1.0, abs(here.loglik)) and moves > STILL_MOVING else 0
    infinite = np.zeros(x.shape[1], bool)
    if not converged:
        infinite[~aliased] = np.abs(step) * spread > STILL_MOVING / 10
    elif stopped is not None:
        coef, here = stopped
    _add_uninformed(infinite, here, ~aliased, spread)
    full = np.zeros(x.shape[1])
    full[~aliased] = coef / scale[~aliased]
    return Maximum(
        coef=full,
        aliased=aliased,
        infinite=infinite,
        variance=_variance(here, ~aliased, infinite, scale),
        at_zero=start,
        at_maximum=here,
        steps=taken,
        converged=converged or bool(flat),
    )


def _add_uninformed(infinite: Bools, here: Likelihood, fitted: Bools, spread: Floats) -> None:
    """Mark also the columns of which the others, going to infinity, leave no information."""
    information = here.information()
    columns = np.flatnonzero(fitted)
    while True:
        keep = ~infinite[fitted]
        if not keep.any():
            return
        try:
            variance = np.diag(np.linalg.inv(information[np.ix_(keep, keep)]))
        except np.linalg.LinAlgError:
            variance = np.full(int(keep.sum()), np.nan)
        bad = ~(np.sqrt(np.maximum(variance, 0.0)) * spread[keep] <= NO_INFORMATION) | ~(
            variance > 0
        )
        if not bad.any():
            return
        infinite[columns[keep][bad]] = True


def find_aliased(at_zero: Likelihood) -> Bools:
    """Columns that are, within every risk set, combinations of columns before them.

    Source:
        Cholesky elimination in the order of the columns, as R `coxph` does it (there NA).
    """
    left = at_zero.information().copy()
    moment = np.diag(left) if not at_zero.x.size else _second_moment(at_zero)
    aliased = np.zeros(left.shape[0], bool)
    for k in range(left.shape[0]):
        if not left[k, k] > LEFT * moment[k]:
            aliased[k] = True
            continue
        factor = left[k + 1 :, k] / left[k, k]
        left[k + 1 :, k + 1 :] -= np.outer(factor, left[k, k + 1 :])
    return aliased


def _second_moment(at_zero: Likelihood) -> Floats:
    share = at_zero.risk * at_zero.passed_hazard(at_zero.hazard)
    moment: Floats = share @ at_zero.x**2
    return moment


def _scale(x: Floats) -> Floats:
    if not x.size:
        return np.ones(x.shape[1])
    spread = x.std(axis=0)
    return np.asarray(np.where(spread > 0, spread, 1.0), dtype=np.float64)


def _step(
    here: Likelihood, step: Floats, coef: Floats, offset: Floats | None
) -> tuple[Floats, Likelihood]:
    """The Newton step, halved until the likelihood does not fall."""
    slack = 1e-13 * max(1.0, abs(here.loglik))
    for _ in range(MAX_HALVINGS):
        with np.errstate(over="ignore", invalid="ignore"):
            there = likelihood(here.rows, here.x, coef + step, offset)
        if there.loglik >= here.loglik - slack:
            return step, there
        step = step / 2
    return np.zeros_like(step), here


def _solve(matrix: Floats, right: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0], dtype=np.float64)


def _variance(here: Likelihood, fitted: Bools, infinite: Bools, scale: Floats) -> Floats:
    """Inverse of the information over the columns with finite coefficients; NaN elsewhere."""
    variance = np.full((fitted.size, fitted.size), np.nan)
    keep = ~infinite[fitted]
    columns = np.flatnonzero(fitted)[keep]
    if columns.size:
        inverse = np.linalg.inv(here.information()[np.ix_(keep, keep)])
        variance[np.ix_(columns, columns)] = inverse / np.outer(scale[columns], scale[columns])
    return variance
