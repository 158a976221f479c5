"""The partial likelihood with its first and second derivative."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reports.stats.hazards.risk_sets import RiskSets
from reports.stats.times import Floats


@dataclass(frozen=True)
class Likelihood:
    """The log partial likelihood at one set of coefficients, and what its derivatives are made of.

    `risk` is weight x exp(linear predictor) of each row, `denominator` of each event the sum of the risks in its
    step, `mean` the risk-weighted mean of the covariates in it.
    """

    rows: RiskSets
    x: Floats
    loglik: float
    risk: Floats
    denominator: Floats
    mean: Floats

    @property
    def score(self) -> Floats:
        """First derivative."""
        rows = self.rows
        observed = rows.weight[rows.events] @ self.x[rows.events]
        expected: Floats = observed - rows.step_weight @ self.mean
        return expected

    @property
    def hazard(self) -> Floats:
        """Increment of the baseline hazard at each event (its step)."""
        steps: Floats = self.rows.step_weight / self.denominator
        return steps

    def information(self, weight: Floats | None = None) -> Floats:
        """Negative second derivative, each event's term times `weight` (per event, equal within a tie).

        The sum over events of the covariates' variance in the risk set. The second moments are not
        summed per risk set: the row's share is its risk times the hazard that it has passed.
        """
        return self._plain_information if weight is None else self._information(weight)

    @cached_property
    def _plain_information(self) -> Floats:
        return self._information(None)

    def _information(self, weight: Floats | None) -> Floats:
        factor = self.hazard if weight is None else self.hazard * weight
        second = self.x.T @ (self.x * (self.risk * self.passed_hazard(factor))[:, None])
        steps = self.rows.step_weight if weight is None else self.rows.step_weight * weight
        centered: Floats = second - self.mean.T @ (self.mean * steps[:, None])
        return centered

    def step_mean(self, values: Floats) -> Floats:
        """Of each event: the risk-weighted mean of the rows' values in its step."""
        rows = self.rows
        weighted = self.risk * values
        own = rows.of_points(weighted[rows.events])[rows.point]
        mean: Floats = (rows.at_risk(weighted)[rows.point] - rows.share * own) / self.denominator
        return mean

    def passed_hazard(self, factor: Floats) -> Floats:
        """Of each row: the sum of the events' factors while at risk; its own tie by what it kept of it."""
        rows = self.rows
        passed = rows.over_time(rows.of_points(factor))
        scale = rows.share.reshape(-1, *[1] * (factor.ndim - 1))
        passed[rows.events] -= rows.of_points(factor * scale)[rows.point]
        return passed


def likelihood(rows: RiskSets, x: Floats, coef: Floats, offset: Floats | None = None) -> Likelihood:
    """The log partial likelihood and its parts at `coef`.

    Args:
        rows: The sorted rows.
        x: Covariates in the order of `rows` (n x p), centered so that their size does not matter.
        coef: p coefficients.
        offset: Added to the linear predictor.

    Source:
        Breslow 1974, Efron 1977; weights as in R `coxph` (a tie counts its mean weight).
    """
    predictor = x @ coef if offset is None else x @ coef + offset
    predictor = predictor - (predictor.max() if predictor.size else 0.0)
    risk = rows.weight * np.exp(predictor)
    events, point = rows.events, rows.point
    moments = np.empty((x.shape[0], x.shape[1] + 1))
    moments[:, 0] = risk
    np.multiply(x, risk[:, None], out=moments[:, 1:])
    left = rows.at_risk(moments)[point]
    if rows.ties == "efron":
        left -= rows.share[:, None] * rows.of_points(moments[events])[point]
    denominator = left[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = left[:, 1:] / denominator[:, None]
        value = rows.weight[events] @ predictor[events] - rows.step_weight @ np.log(denominator)
    return Likelihood(rows, x, float(value), risk, denominator, mean)
