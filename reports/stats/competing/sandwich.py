"""What each person adds to the score, and the robust variance made of it."""

from __future__ import annotations

import numpy as np

from reports.stats.competing.subdistribution import Indices, Problem, State
from reports.stats.times import Floats


@np.errstate(all="ignore")  # no number is given where coefficients have run away
def score_residuals(problem: Problem, state: State) -> Floats:
    """Integral of (z - mean) w dM per person: a row per person, in the order of `problem`.

    Source:
        Fine and Gray 1999 (eta); with Efron's ties as Therneau and Grambsch 2000, section 7.2.
    """
    z, risk = problem.covariates, state.risk
    hazard, pull = _per_time(problem, state, np.ones_like(state.total))
    spared, spared_pull = _per_time(problem, state, problem.fraction)
    passed = np.searchsorted(problem.event_time, problem.time, side="right")
    cumulative, cumulative_pull = _running(hazard), _running(pull)
    residual = -risk[:, None] * (z * cumulative[passed] - cumulative_pull[passed])
    at = passed[problem.own] - 1
    mean = _sum_by_time(problem, state.mean) / problem.died[:, None]
    own = z[problem.own] - mean[at]
    own += risk[problem.own][:, None] * (z[problem.own] * spared[at] - spared_pull[at])
    residual[problem.own] += own
    return residual - _after_competing(problem, state, hazard, pull, passed)


def _after_competing(
    problem: Problem, state: State, hazard: Floats, pull: Floats, passed: Indices
) -> Floats:
    """The part of the residual after a competing event, with falling weights."""
    z = problem.covariates
    scale = (state.risk * problem.weight)[:, None]
    total = np.zeros_like(z)
    for g, curve in enumerate(problem.curves):
        chosen = problem.competing & (problem.group == g)
        ahead, ahead_pull = _ahead(hazard, pull, curve)
        index = passed[chosen]
        total[chosen] = scale[chosen] * (z[chosen] * ahead[index] - ahead_pull[index])
    return total


@np.errstate(all="ignore")
def censoring_residuals(problem: Problem, state: State) -> Floats:
    """What the estimated censoring distribution adds per person: integral of q / pi dM of censoring.

    Source:
        Fine and Gray 1999 (psi).
    """
    hazard, pull = _per_time(problem, state, np.ones_like(state.total))
    residual = np.zeros_like(problem.covariates)
    censored = ~problem.own & ~problem.competing
    for g, curve in enumerate(problem.curves):
        members = np.flatnonzero(problem.group == g)
        time, gone = problem.time[members], censored[members]
        at, number = np.unique(time[gone], return_counts=True)
        if at.size == 0:
            continue
        left = np.searchsorted(time, at, side="left")
        scale = (state.risk * problem.weight)[members][:, None]
        size = _running(scale)[left]
        size_z = _running(scale * problem.covariates[members])[left]
        ahead, ahead_pull = _ahead(hazard, pull, curve)
        coming = np.searchsorted(problem.event_time, at, side="left")
        q = size_z * ahead[coming] - size * ahead_pull[coming]
        at_risk = (members.size - left).astype(np.float64)[:, None]
        drift = _running(q * number[:, None] / at_risk**2)
        passed = np.searchsorted(at, time, side="right")
        residual[members] -= drift[passed]
        residual[members[gone]] += (q / at_risk)[passed[gone] - 1]
    return residual


@np.errstate(all="ignore")
def robust_variance(covariance: Floats, residuals: Floats) -> Floats:
    """The variance by the persons' influence: inverse information, sum of squared residuals, inverse information."""
    influence = residuals @ covariance
    return np.asarray(influence.T @ influence, dtype=np.float64)


def _per_time(problem: Problem, state: State, factor: Floats) -> tuple[Floats, Floats]:
    """Hazard steps, and hazard steps times the mean covariates, at each event time."""
    steps = (factor / state.total)[:, None]
    return _sum_by_time(problem, steps), _sum_by_time(problem, steps * state.mean)


def _sum_by_time(problem: Problem, values: Floats) -> Floats:
    starts = np.concatenate([[0], np.cumsum(problem.died)[:-1]]).astype(np.intp)
    total: Floats = np.add.reduceat(values, starts, axis=0)
    return total


def _ahead(hazard: Floats, pull: Floats, curve: Floats) -> tuple[Floats, Floats]:
    """Weighted hazard from each event time on to the end; the last row is 0."""
    ahead = []
    for values in (hazard, pull):
        weighted = (values * curve[:, None])[::-1]
        ahead.append(_running(weighted)[::-1])
    return ahead[0], ahead[1]


def _running(values: Floats) -> Floats:
    """Cumulative sums over rows, with a first row of 0."""
    return np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
