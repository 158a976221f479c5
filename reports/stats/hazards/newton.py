"""Maximizing the partial likelihood; aliased columns and separation are found, not fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.stats.hazards.directions import Directions, directions
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
# Share of a column's variance that must be left after the columns before it.
LEFT = 1e-10


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is largest, per column of x in the caller's units.

    `aliased` columns say nothing that those before them do not; `infinite` ones have no finite maximum
    (separation). Both have coefficient 0 in `coef` resp. where the search stopped, and no meaning. `covariance` holds
    for every combination of coefficients that is `known`, also for one of several infinite ones.
    """

    coef: Floats
    aliased: Bools
    infinite: Bools
    covariance: Floats
    directions: Directions
    at_zero: Likelihood
    at_maximum: Likelihood
    steps: int
    converged: bool

    @property
    def used(self) -> Bools:
        """Columns with a finite coefficient."""
        return ~self.aliased & ~self.infinite

    def known(self, weights: Floats) -> bool:
        """Whether a combination of the coefficients (a weight for each column) can be estimated."""
        if (weights[self.aliased] != 0).any() or not weights.any():
            return False
        return self.directions.known(weights[~self.aliased])


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
    start = likelihood(rows, scaled, np.zeros(x.shape[1]), offset)
    aliased = find_aliased(start.information(), _second_moment(start))
    used = scaled[:, ~aliased]
    if aliased.any():
        start = likelihood(rows, used, np.zeros(used.shape[1]), offset)
    found = _search(start, offset)
    parts = directions(
        start,
        found.end.information(),
        at_rest=found.at_rest,
        settled=lambda parts: parts.at_maximum(found.last),
    ).scaled(scale[~aliased])
    infinite = np.zeros(x.shape[1], bool)
    infinite[~aliased] = parts.lost_columns
    full = np.zeros(x.shape[1])
    full[~aliased] = found.coef / scale[~aliased]
    covariance = np.full((x.shape[1], x.shape[1]), np.nan)
    if used.shape[1]:
        units = np.outer(scale[~aliased], scale[~aliased])
        covariance[np.ix_(~aliased, ~aliased)] = parts.covariance(found.at.information() * units)
    return Maximum(
        coef=full,
        aliased=aliased,
        infinite=infinite,
        covariance=covariance,
        directions=parts,
        at_zero=start,
        at_maximum=found.at,
        steps=found.taken,
        converged=found.at_rest or found.flat,
    )


@dataclass(frozen=True)
class _Search:
    """`coef` and `at`: where R stops; `last` and `end`: where the search ended, at a maximum or on the way to infinity."""

    coef: Floats
    at: Likelihood
    last: Floats
    end: Likelihood
    taken: int
    at_rest: bool
    flat: bool


def _search(start: Likelihood, offset: Floats | None) -> _Search:
    x = start.x
    spread = np.ptp(x, axis=0) if x.size else np.zeros(x.shape[1])
    here, coef = start, np.zeros(x.shape[1])
    at_rest, flat, taken = coef.size == 0, 0, 0
    stopped: tuple[Floats, Likelihood] | None = None
    while not at_rest and flat < FLAT_STEPS and taken < MAX_STEPS:
        newton = _solve(here.information(), here.score)
        if stopped is not None and float(np.max(np.abs(newton) * spread)) <= SETTLED:
            at_rest = True
            break
        step, there = _step(here, newton, coef, offset)
        if there is here:
            # No part of the step raises the likelihood, though it is not at its maximum: rounding.
            break
        gain = there.loglik - here.loglik
        if stopped is None and abs(gain) <= R_STOPS * abs(there.loglik):
            stopped = coef + step, there
        coef, here, taken = coef + step, there, taken + 1
        moves = float(np.max(np.abs(step) * spread))
        at_rest = moves <= AT_REST
        flat = flat + 1 if gain <= FLAT * max(1.0, abs(here.loglik)) and moves > STILL_MOVING else 0
    given = (coef, here) if stopped is None else stopped
    return _Search(*given, coef, here, taken, at_rest, bool(flat))


def find_aliased(information: Floats, moment: Floats) -> Bools:
    """Columns that are, within every risk set, combinations of columns before them.

    Args:
        information: With all coefficients 0.
        moment: The same of each column without its mean taken off.

    Source:
        Cholesky elimination in the order of the columns, as R `coxph` does it (there NA).
    """
    left = information.copy()
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
        with np.errstate(all="ignore"):
            there = likelihood(here.rows, here.x, coef + step, offset)
            if there.loglik >= here.loglik - slack and _sound(there):
                return step, there
        step = step / 2
    return np.zeros_like(step), here


def _sound(at: Likelihood) -> bool:
    """Whether all that is made of it is a number: so far out that risks vanish it is not."""
    return bool(
        np.isfinite(at.loglik)
        and np.isfinite(at.score).all()
        and np.isfinite(at.information()).all()
    )


def _solve(matrix: Floats, right: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0], dtype=np.float64)
