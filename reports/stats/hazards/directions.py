"""Directions of the coefficients on which the data say nothing, and the covariance of all that they do say.

Where a level has no event, its own column runs away. Where the reference has none, all other levels run away together:
each single coefficient is lost, but not their differences, nor what they adjust for. So what is lost is a direction
in the space of the coefficients, not a column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reports.stats.hazards.likelihood import Likelihood
from reports.stats.hazards.separation import Separation, separation
from reports.stats.times import Bools, Floats

# Where a standard error moves a predictor by more than this (R's are then in the thousands), the data are asked.
NO_INFORMATION = 500.0
# A combination of coefficients is known if a unit of a lost direction changes it by no more than this.
TOUCHED = 1e-5


@dataclass(frozen=True)
class Directions:
    """The space of the coefficients (p), split; columns are directions.

    `lost` (p x r) is scaled so that each direction moves the predictor by 1 over the range of the data; `kept`
    (p x p - r) spans the rest. `spread` is the range of each covariate.
    """

    kept: Floats
    lost: Floats
    spread: Floats

    def known(self, weights: Floats) -> bool:
        """Whether a combination of the coefficients (a weight for each) can be estimated."""
        if not self.lost.shape[1]:
            return True
        size = np.max(np.abs(weights) / _positive(self.spread))
        return bool(np.max(np.abs(weights @ self.lost)) <= TOUCHED * size)

    @property
    def lost_columns(self) -> Bools:
        """Single coefficients that cannot be estimated."""
        touched: Bools = np.any(np.abs(self.lost) * self.spread[:, None] > TOUCHED, axis=1)
        return touched

    def covariance(self, information: Floats) -> Floats:
        """Covariance of every combination that is `known`; the lost directions have no part in it.

        Without lost directions the inverse of the information.
        """
        if not self.lost.shape[1]:
            return np.asarray(np.linalg.inv(information), dtype=np.float64)
        within = self.kept.T @ information @ self.kept
        covariance: Floats = self.kept @ np.linalg.solve(within, self.kept.T)
        return (covariance + covariance.T) / 2

    def scaled(self, scale: Floats) -> Directions:
        """The same for covariates in other units: covariate / scale was used."""
        return Directions(
            self.kept / scale[:, None], self.lost / scale[:, None], self.spread * scale
        )


def directions(
    start: Likelihood,
    information: Floats,
    *,
    at_rest: bool,
    settled: Callable[[Separation], bool],
) -> Directions:
    """Which directions are lost.

    A search that came to rest where everything is informed on has found the maximum. Otherwise the data are asked
    whether there is one (`separation`). All is lost if they do not tell, or if the search has not found the maximum of
    what they leave.

    Args:
        start: The likelihood with all coefficients 0 (p), its information of full rank; covariates have standard
            deviation 1.
        information: Where the search ended.
        at_rest: Whether the search came to rest.
        settled: Whether it has found what the lost directions leave.
    """
    p = information.shape[0]
    spread = np.asarray(np.ptp(start.x, axis=0), dtype=np.float64) if start.x.size else np.zeros(p)
    if not p or (at_rest and _all_informed(information, spread)):
        return Directions(np.eye(p), np.zeros((p, 0)), spread)
    parts = separation(start)
    if parts is None or not settled(parts):
        return Directions(np.zeros((p, 0)), np.eye(p) / _positive(spread), spread)
    reach = _positive(np.ptp(start.x @ parts.lost, axis=0))
    return Directions(parts.kept, parts.lost / reach, spread)


def _all_informed(information: Floats, spread: Floats) -> bool:
    """Whether no direction can have a standard error beyond `NO_INFORMATION`: a bound by the largest range."""
    if not np.isfinite(information).all():
        return False
    unit = _positive(spread)
    smallest = float(np.linalg.eigvalsh(information / np.outer(unit, unit))[0])
    return smallest * NO_INFORMATION**2 >= spread.size


def _positive(range_of: Floats) -> Floats:
    return np.asarray(np.where(range_of > 0, range_of, 1.0), dtype=np.float64)
