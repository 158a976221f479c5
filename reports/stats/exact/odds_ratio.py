"""The odds ratio of a 2 x 2 table given its margins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reports.stats.exact.contingency import Table
from reports.stats.times import Floats

EPSILON = float(np.finfo(np.float64).eps)
# R solves these equations no closer than this: its last digits are those of the method, not of the data.
R_TOLERANCE = EPSILON**0.25


@dataclass(frozen=True)
class OddsRatio:
    """Conditional maximum likelihood estimate with its exact limits; infinite where a cell is empty."""

    value: float
    lower: float
    upper: float


def conditional_odds_ratio(table: Table, *, level: float, tolerance: float) -> OddsRatio:
    """Estimate and limits of the odds ratio, from the noncentral hypergeometric distribution.

    Args:
        table: 2 x 2 counts without empty rows or columns.
        level: Level of the two-sided interval; each side is a one-sided exact test.
        tolerance: Largest error of each solution, on the scale of the ratio or of its inverse, whichever
            is below 1.

    Source:
        Cornfield 1956; R, `fisher.test`.
    """
    a, b, c, d = (int(cell) for cell in table.ravel())
    low, high = max(0, a - d), min(a + c, a + b)
    if low == high:
        return OddsRatio(math.nan, 0.0, math.inf)
    distribution = _Noncentral.of(a + c, b + d, a + b)
    tail = (1 - level) / 2
    not_above, not_below = distribution.support <= a, distribution.support >= a

    def mean(ratio: float) -> float:
        return float((distribution.support * distribution.at(ratio)).sum()) - float(a)

    def at_most(ratio: float) -> float:
        return float(distribution.at(ratio)[not_above].sum()) - tail

    def at_least(ratio: float) -> float:
        return float(distribution.at(ratio)[not_below].sum()) - tail

    return OddsRatio(
        0.0 if a == low else math.inf if a == high else _solve(mean, tolerance),
        0.0 if a == low else _solve(at_least, tolerance),
        math.inf if a == high else _solve(at_most, tolerance),
    )


@dataclass(frozen=True)
class _Noncentral:
    """The first cell of a 2 x 2 table with given margins, for any odds ratio: values and central log weights."""

    support: Floats
    log_weight: Floats

    @classmethod
    def of(cls, column: int, other: int, row: int) -> _Noncentral:
        """The distribution by the totals of both columns and of the first row."""
        from scipy.special import gammaln

        support = np.arange(max(0, row - other), min(column, row) + 1, dtype=np.float64)
        cells = (support, column - support, row - support, other - row + support)
        log_weight: Floats = -np.sum([gammaln(cell + 1) for cell in cells], axis=0)
        return cls(support, log_weight)

    def at(self, ratio: float) -> Floats:
        """Probabilities at an odds ratio."""
        if ratio == 0:
            return np.where(self.support == self.support[0], 1.0, 0.0)
        logs = self.log_weight + math.log(ratio) * self.support
        weights = np.exp(logs - logs.max())
        probabilities: Floats = weights / weights.sum()
        return probabilities


def _solve(function: Callable[[float], float], tolerance: float) -> float:
    """Root between 0 and infinity of a monotone function, looked for below 1 or as the inverse of one below 1."""
    at_one = function(1.0)
    if at_one == 0:
        return 1.0
    if (function(0.0) > 0) != (at_one > 0):
        return brent(function, 0.0, 1.0, tolerance)
    return 1 / brent(lambda inverse: function(1 / inverse), EPSILON, 1.0, tolerance)


def brent(function: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Root of a function with different signs at both ends, by Brent's method.

    Each step is an inverse quadratic or linear interpolation if that stays well inside, else a bisection.

    Args:
        function: Continuous.
        low: One end.
        high: The other end.
        tolerance: Half of it, and the rounding of the root, is the largest error.

    Source:
        Brent 1973, Algorithms for Minimization without Derivatives, chapter 4 (zeroin).
    """
    previous, best, bracket = low, high, low
    f_previous, f_best = function(low), function(high)
    f_bracket = f_previous
    for _ in range(1000):
        moved = best - previous
        if abs(f_bracket) < abs(f_best):
            previous, best, bracket = best, bracket, best
            f_previous, f_best, f_bracket = f_best, f_bracket, f_best
        error = 2 * EPSILON * abs(best) + tolerance / 2
        half = (bracket - best) / 2
        if abs(half) <= error or f_best == 0:
            break
        step = half
        if abs(moved) >= error and abs(f_previous) > abs(f_best):
            p, q = _interpolated((previous, best, bracket), (f_previous, f_best, f_bracket))
            inside = 0.75 * (bracket - best) * q - abs(error * q) / 2
            if p < inside and p < abs(moved * q / 2):
                step = p / q
        if abs(step) < error:
            step = math.copysign(error, step)
        previous, f_previous = best, f_best
        best += step
        f_best = function(best)
        if (f_best > 0) == (f_bracket > 0):
            bracket, f_bracket = previous, f_previous
    return best


def _interpolated(
    at: tuple[float, float, float], values: tuple[float, float, float]
) -> tuple[float, float]:
    """Numerator (not negative) and denominator of the interpolated step from the best point."""
    previous, best, bracket = at
    f_previous, f_best, f_bracket = values
    width = bracket - best
    if previous == bracket:
        ratio = f_best / f_previous
        p, q = width * ratio, 1 - ratio
    else:
        outer, inner, ratio = f_previous / f_bracket, f_best / f_bracket, f_best / f_previous
        p = ratio * (width * outer * (outer - inner) - (best - previous) * (inner - 1))
        q = (outer - 1) * (inner - 1) * (ratio - 1)
    return (p, -q) if p > 0 else (-p, q)
