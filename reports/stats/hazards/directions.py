"""Directions of the coefficients on which the data say nothing, and the covariance of all that they do say.

Where a level has no event, its own column runs away. Where the reference has none, all other levels run away together:
each single coefficient is lost, but not their differences, nor what they adjust for. So what is lost is a direction
in the space of the coefficients, not a column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.stats.times import Bools, Floats

# A standard error that moves a predictor by more than this has no information behind it (R's are in the thousands).
NO_INFORMATION = 500.0
# Newton's last step still moves the predictor along a direction by more than this: its maximum is at infinity.
MOVING = 1e-3
# Directions with at most this many times the information of a moving one are lost like it.
ALIKE = 100.0
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
        size = np.max(np.abs(weights) / np.where(self.spread > 0, self.spread, 1.0))
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
    at_zero: Floats, information: Floats, x: Floats, score: Floats | None = None
) -> Directions:
    """Which directions are lost.

    Args:
        at_zero: Information with all coefficients 0, of full rank.
        information: Where the search ended.
        x: Covariates, a row per person.
        score: First derivative where the search ended; None if it came to rest at a maximum.

    A direction is lost if nothing informs on it (`NO_INFORMATION`), or if Newton's method still moves along it.
    """
    p = information.shape[0]
    spread = np.asarray(np.ptp(x, axis=0), dtype=np.float64) if x.size else np.zeros(p)
    whole = Directions(np.eye(p), np.zeros((p, 0)), spread)
    if not p or (score is None and _all_informed(information, spread)):
        return whole
    # In directions of equal information at 0, the eigenvalues are the shares of it that are left.
    root = np.linalg.cholesky(at_zero)
    half = np.linalg.solve(root, information)
    share, vectors = np.linalg.eigh(_symmetric(np.linalg.solve(root, half.T)))
    basis = np.linalg.solve(root.T, vectors)
    reach = np.ptp(x @ basis, axis=0)
    per_unit = share / np.where(reach > 0, reach, 1.0) ** 2
    lost = ~(per_unit * NO_INFORMATION**2 >= 1)
    if score is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.abs((score @ basis) / share) * reach
        moving = ~(step <= MOVING)
        if moving.any():
            lost |= moving | (per_unit <= ALIKE * per_unit[moving].max())
    return Directions(basis[:, ~lost], basis[:, lost] / reach[lost], spread)


def _all_informed(information: Floats, spread: Floats) -> bool:
    """Whether no direction can have a standard error beyond `NO_INFORMATION`: a bound by the largest range."""
    unit = np.where(spread > 0, spread, 1.0)
    smallest = float(np.linalg.eigvalsh(information / np.outer(unit, unit))[0])
    return smallest * NO_INFORMATION**2 >= spread.size


def _symmetric(matrix: Floats) -> Floats:
    return (matrix + matrix.T) / 2
