"""Where the likelihood has no finite maximum: found by the data, not by how far a search has run.

Along a direction of the coefficients the partial likelihood rises for ever exactly if at each event nobody at risk
is ahead of the one with the event: such directions are the solutions of linear inequalities, and a linear programme
finds one or shows that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.stats.hazards.likelihood import Likelihood, likelihood
from reports.stats.hazards.risk_sets import RiskSets, risk_sets
from reports.stats.times import Floats, Ints

# Covariates have standard deviation 1 and no direction has a part above 1: what is less than this is rounding.
AHEAD, GAIN = 1e-9, 1e-8
SAME_LEVEL = 1e-8
# Share of the information at 0 that is none.
LEFT = 1e-10
# A point this many standard errors from the maximum is not the maximum.
OFF = 1e-4
ROUNDS = 300


@dataclass(frozen=True)
class Separation:
    """The space of the coefficients (p), split: along `lost` there is no maximum, `kept` spans the rest.

    `limit` is the likelihood, with all coefficients 0, that is left where the lost directions have gone to infinity:
    at each event only those count who are not behind along them. On `kept` it has a finite maximum.
    """

    kept: Floats
    lost: Floats
    limit: Likelihood

    def at_maximum(self, coef: Floats) -> bool:
        """Whether the part of these coefficients in `kept` is the maximum of `limit`."""
        limit, parts = self.limit, np.linalg.solve(np.hstack([self.kept, self.lost]), coef)
        with np.errstate(all="ignore"):
            at = likelihood(limit.rows, limit.x, self.kept @ parts[: self.kept.shape[1]])
            return self.at_rest(at.score, at.information())

    def at_rest(self, score: Floats, information: Floats) -> bool:
        """Whether Newton's next step within `kept` is a tiny part of the standard errors."""
        inner, slope = self.kept.T @ information @ self.kept, self.kept.T @ score
        if not (np.isfinite(inner).all() and np.isfinite(slope).all()):
            return False
        try:
            step = np.linalg.solve(np.linalg.cholesky(inner), slope)
        except np.linalg.LinAlgError:
            return False
        return bool(np.max(np.abs(step), initial=0.0) <= OFF)


def separation(start: Likelihood) -> Separation | None:
    """The directions without a finite maximum.

    Each direction that is found splits every risk set into those not behind and the others; among the former the
    search goes on, until nobody can be taken apart any more.

    Args:
        start: The likelihood with all coefficients 0; covariates have standard deviation 1, none is aliased.

    Returns:
        None if the linear programme found no answer.

    Source:
        Albert and Anderson 1984 (Biometrika 71, 1-10), complete and quasi-complete separation; Jacobsen 1989 (Scand. J.
        Statist. 16, 335-349), the same for Cox models. Programme by cutting planes.
    """
    whole, here = start.information(), start
    p = whole.shape[0]
    kept, lost = np.eye(p), np.zeros((p, 0))
    while kept.shape[1]:
        direction = recession(here)
        if direction is None:
            return None
        if not direction.any():
            break
        here = _not_behind(here, direction)
        before = kept.shape[1]
        kept, lost = _split(whole, here.information())
        if kept.shape[1] >= before:
            return None
    return Separation(kept, lost, here)


def recession(at: Likelihood) -> Floats | None:
    """A direction along which the likelihood never falls and somewhere rises.

    It is one that gains most at 0: along any such direction the first derivative at 0 is positive.

    Returns:
        0 in every column if there is none; None if the programme found no answer.
    """
    from scipy.optimize import linprog

    rows, x = at.rows, at.x
    score = at.score
    largest = float(np.abs(score).max())
    if not largest > GAIN:
        return np.zeros_like(score)
    score = score / largest
    direction = np.sign(score)
    cuts = np.zeros((0, score.size))
    for _ in range(ROUNDS):
        first = leaders(rows, x @ direction)
        lead = x[rows.events] - x[first[rows.point]]
        behind = lead @ direction < -AHEAD
        if not behind.any():
            return direction if score @ direction > GAIN else np.zeros_like(score)
        cuts = np.unique(np.concatenate([cuts, lead[behind]]), axis=0)
        found = linprog(
            -score,
            A_ub=-cuts,
            b_ub=np.zeros(cuts.shape[0]),
            bounds=(-1, 1),
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if found.x is None:
            return None
        direction = np.asarray(found.x, dtype=np.float64)
        if score @ direction <= GAIN:
            return np.zeros_like(score)
    return None


def leaders(rows: RiskSets, values: Floats) -> Ints:
    """The row with the largest value of each risk set (per point).

    A row is at risk at a stretch of points; the stretch is covered by two of a power of 2 in length, and the
    maxima of long stretches are handed down to their halves.
    """
    order = np.argsort(values, kind="stable")
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    length = rows.passed - rows.before
    ever = np.flatnonzero(length > 0)
    power = np.frexp(length[ever].astype(np.float64))[1].astype(np.int64) - 1
    n_points = rows.points_first.size
    best = np.full((int(power.max(initial=0)) + 1, n_points), -1, dtype=np.int64)
    np.maximum.at(best, (power, rows.before[ever]), rank[ever])
    np.maximum.at(best, (power, rows.passed[ever] - 2**power), rank[ever])
    for k in range(best.shape[0] - 1, 0, -1):
        half = 2 ** (k - 1)
        np.maximum(best[k - 1], best[k], out=best[k - 1])
        np.maximum(best[k - 1, half:], best[k, :-half], out=best[k - 1, half:])
    return np.asarray(order[best[0]], dtype=np.int64)


def _not_behind(at: Likelihood, direction: Floats) -> Likelihood:
    """The likelihood with those of each risk set only who are level with its event along the direction.

    Nobody is ahead, so that is the model with one stratum for each level.
    """
    rows = at.rows
    values = at.x @ direction
    order = np.argsort(values, kind="stable")
    level = np.empty(order.size, dtype=np.int64)
    level[order] = np.cumsum(np.diff(values[order], prepend=values[order[:1]]) > SAME_LEVEL)
    sets = risk_sets(
        rows.time,
        rows.event,
        entry=rows.entry,
        stratum=rows.stratum * (int(level.max()) + 1) + level,
        weight=rows.weight,
        ties=rows.ties,
    )
    return likelihood(sets, at.x[sets.order], np.zeros(at.x.shape[1]))


def _split(whole: Floats, information: Floats) -> tuple[Floats, Floats]:
    """Directions on which there is information, and those without, in units of `whole`."""
    root = np.linalg.cholesky(whole)
    half = np.linalg.solve(root, information)
    inner = np.linalg.solve(root, half.T)
    share, vectors = np.linalg.eigh((inner + inner.T) / 2)
    basis = np.linalg.solve(root.T, vectors)
    informed = share > LEFT
    return basis[:, informed], basis[:, ~informed]
