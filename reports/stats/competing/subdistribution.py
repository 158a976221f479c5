"""The proportional model of the subdistribution hazard: risk sums, likelihood and its maximum.

Those who had a competing event stay at risk, with the weight G(t-) / G(T-) that falls as they would have been
censored meanwhile (G: chance of being uncensored, T: own time). All sums over persons at risk are cumulative
sums over sorted times: suffix sums for those still observed, prefix sums for those with a competing event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.stats.competing.at_risk import Codes
from reports.stats.competing.censoring import TieRule, each_own, uncensored_before
from reports.stats.hazards.directions import Directions, directions
from reports.stats.hazards.likelihood import Likelihood, likelihood
from reports.stats.hazards.newton import find_aliased
from reports.stats.hazards.risk_sets import risk_sets
from reports.stats.times import Bools, Floats

Indices = NDArray[np.intp]

# Steps of Newton's method in coefficients of standardized covariates.
CONVERGED = 1e-10
# A last step that gained no more has nothing left to gain.
FLAT = 1e-8


@dataclass(frozen=True)
class Problem:
    """Persons in the order of their times, and the distinct times at which the cause happened.

    `place` is the position of each event time among the persons: those before it have left. `curves` has a
    row per censoring group: chance of being uncensored just before each event time. `weight` is 1 / G(T-) of
    persons with a competing event, else 0. `rows` are the event times once per event, `fraction` the share of
    tied events that Efron's method takes off the risk sum (0 by Breslow's).
    """

    time: Floats
    event: Codes
    covariates: Floats
    own: Bools
    competing: Bools
    group: Indices
    event_time: Floats
    place: Indices
    died: Floats
    curves: Floats
    weight: Floats
    rows: Indices
    fraction: Floats


def prepare(
    time: Floats,
    event: Codes,
    covariates: Floats,
    group: Indices,
    *,
    cause: int,
    censor: int,
    rule: TieRule,
    efron: bool,
) -> Problem:
    """Sort the persons and find the event times, censoring curves and weights."""
    order = np.argsort(time, kind="stable")
    time, event, covariates, group = time[order], event[order], covariates[order], group[order]
    own = event == cause
    competing = ~own & (event != censor)
    event_time, died = np.unique(time[own], return_counts=True)
    curves = np.array(
        [
            uncensored_before(time[group == g], event[group == g], censor, event_time, rule)
            for g in range(int(group.max()) + 1)
        ]
    )
    uncensored = each_own(time, event, group, censor, rule)
    rows = np.repeat(np.arange(event_time.size), died)
    first = np.repeat(np.cumsum(died) - died, died)
    return Problem(
        time=time,
        event=event,
        covariates=covariates,
        own=own,
        competing=competing,
        group=group,
        event_time=event_time,
        place=np.searchsorted(time, event_time, side="left"),
        died=died.astype(np.float64),
        curves=curves,
        weight=np.divide(1.0, uncensored, out=np.zeros_like(uncensored), where=competing),
        rows=rows,
        fraction=(np.arange(rows.size) - first) / died[rows] if efron else np.zeros(rows.size),
    )


def risk_sum(problem: Problem, values: Floats) -> Floats:
    """Weighted sum of `values` (a row per person) over those at risk at each event time."""
    suffix = np.concatenate([np.cumsum(values[::-1], axis=0)[::-1], np.zeros_like(values[:1])])
    total = suffix[problem.place]
    for g, curve in enumerate(problem.curves):
        chosen = problem.competing & (problem.group == g)
        weighted = values * np.where(chosen, problem.weight, 0.0)[:, None]
        prefix = np.concatenate([np.zeros_like(values[:1]), np.cumsum(weighted, axis=0)])
        total = total + curve[:, None] * prefix[problem.place]
    return total


def event_sum(problem: Problem, values: Floats) -> Floats:
    """Sum of `values` over those with the event at each event time."""
    starts = np.concatenate([[0], np.cumsum(problem.died)[:-1]]).astype(np.intp)
    total: Floats = np.add.reduceat(values[problem.own], starts, axis=0)
    return total


@dataclass(frozen=True)
class State:
    """The model at one value of the coefficients.

    `risk` exp(z b) per person; `total` and `mean` per event (row of `Problem.rows`): risk sum and mean
    covariates over it.
    """

    loglik: float
    score: Floats
    information: Floats
    risk: Floats
    total: Floats
    mean: Floats


def evaluate(problem: Problem, coefficients: Floats) -> State:
    """Log-likelihood, score and information at the coefficients."""
    z = problem.covariates
    linear = z @ coefficients
    # Scaled by the largest, which cancels in every ratio: nothing overflows.
    offset = float(linear.max())
    risk = np.exp(linear - offset)
    upper = np.triu_indices(z.shape[1])
    products = z[:, upper[0]] * z[:, upper[1]]
    values = np.concatenate([risk[:, None], risk[:, None] * z, risk[:, None] * products], axis=1)
    sums = risk_sum(problem, values)[problem.rows]
    if problem.fraction.any():
        sums = sums - problem.fraction[:, None] * event_sum(problem, values)[problem.rows]
    total = sums[:, 0]
    means = sums[:, 1:] / total[:, None]
    p = z.shape[1]
    mean = means[:, :p]
    second = np.zeros((p, p))
    second[upper] = means[:, p:].sum(axis=0)
    second = second + np.triu(second, 1).T
    return State(
        loglik=float((linear[problem.own] - offset).sum() - np.log(total).sum()),
        score=z[problem.own].sum(axis=0) - mean.sum(axis=0),
        information=second - mean.T @ mean,
        risk=risk,
        total=total,
        mean=mean,
    )


@dataclass(frozen=True)
class Maximum:
    """The model at its maximum, or where the search for one ended.

    `directions` tells along which the likelihood has no maximum (a level without an event; all other levels
    together, if it is the reference; anything else that takes those with the event apart from all at risk).
    """

    coefficients: Floats
    state: State
    loglik_null: float
    directions: Directions

    @property
    def diverged(self) -> Bools:
        """Terms that no coefficient can be told of."""
        return self.directions.lost_columns

    @property
    def covariance(self) -> Floats:
        """Inverse of the information, in the directions that are known."""
        return self.directions.covariance(self.state.information)


def aliased(problem: Problem) -> Bools:
    """Columns that say nothing, among those at risk, that those before them do not."""
    state = evaluate(problem, np.zeros(problem.covariates.shape[1]))
    moment = np.diag(state.information) + (state.mean**2).sum(axis=0)
    return find_aliased(state.information, moment)


def maximize(problem: Problem, *, steps: int = 40) -> Maximum:
    """Newton's method from 0, halving steps that lower the likelihood; no column is `aliased`.

    Stops when a step is below 1e-10 in every coefficient (covariates in standard deviations), or where nothing is left
    to know of one of them.
    """
    coefficients: Floats = np.zeros(problem.covariates.shape[1])
    state = evaluate(problem, coefficients)
    start, gain = state, 0.0
    at_rest = coefficients.size == 0
    for _ in range(0 if at_rest else steps):
        step = np.asarray(np.linalg.solve(state.information, state.score), dtype=np.float64)
        at_rest = bool(np.abs(step).max() < CONVERGED)
        step, trial = _halved(problem, coefficients, step, state)
        gain = trial.loglik - state.loglik
        coefficients, state = coefficients + step, trial
        if at_rest or not _full_rank(state.information):
            break
    parts = directions(
        _unweighted(problem),
        state.information,
        at_rest=at_rest,
        settled=lambda parts: gain <= FLAT and parts.at_rest(state.score, state.information),
    )
    return Maximum(coefficients, state, start.loglik, parts)


def _unweighted(problem: Problem) -> Likelihood:
    """A Cox likelihood with the same risk sets: who had a competing event stays as long as the weight is not 0.

    Its maximum is another one, but it has one along the same directions.
    """
    time = problem.time.copy()
    last = np.where(problem.curves > 0, problem.event_time, -np.inf).max(axis=1)
    stays = np.maximum(time, last[problem.group])
    time[problem.competing] = stays[problem.competing]
    rows = risk_sets(time, problem.own, ties="efron" if problem.fraction.any() else "breslow")
    x = problem.covariates
    return likelihood(rows, x[rows.order], np.zeros(x.shape[1]))


def _halved(
    problem: Problem, coefficients: Floats, step: Floats, state: State
) -> tuple[Floats, State]:
    """The step, or the first of its halves that does not lower the likelihood, and the model after it.

    No step where none of them is good.
    """
    for _ in range(20):
        trial = _tried(problem, coefficients + step)
        # Near the maximum both values are equal up to rounding.
        if trial.loglik >= state.loglik - 1e-11 * abs(state.loglik) and _sound(trial):
            return step, trial
        step = step / 2
    return np.zeros_like(step), state


def _tried(problem: Problem, coefficients: Floats) -> State:
    """The model after a step that may be far too long: its likelihood is then NaN, and the step is halved."""
    with np.errstate(all="ignore"):
        return evaluate(problem, coefficients)


def _sound(state: State) -> bool:
    return bool(
        np.isfinite(state.loglik)
        and np.isfinite(state.score).all()
        and np.isfinite(state.information).all()
    )


def _full_rank(information: Floats) -> bool:
    if not np.all(np.diag(information) > 1e-14):
        return False
    scale = np.sqrt(np.diag(information))
    correlation = information / np.outer(scale, scale)
    return bool(np.linalg.eigvalsh(correlation)[0] > 1e-12)
