"""Shared frailty: a random effect of each cluster (center). Informational, never the primary analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl

from reports.stats.checks import option
from reports.stats.hazards.fit import CoxFit, two_sided
from reports.stats.hazards.likelihood import Likelihood, likelihood
from reports.stats.times import Floats, Ints

Distribution = Literal["gamma", "gaussian"]
SMALLEST, LARGEST = 1e-6, 50.0
MAX_STEPS, AT_REST = 100, 1e-10


@dataclass(frozen=True)
class FrailtyFit:
    """`theta` is the variance of the frailty (gamma) or of its log (gaussian); 0 where there is none.

    `table`: term, coef, se (of the penalized information), se2 (sandwich), chi_squared, p. `effects` has the log
    frailty of each cluster.
    """

    theta: float
    distribution: str
    table: pl.DataFrame
    effects: Floats


@dataclass(frozen=True)
class _State:
    at: Likelihood
    coef: Floats
    penalized: Floats
    value: float


def shared_frailty(fit: CoxFit, distribution: Distribution = "gamma") -> FrailtyFit | None:
    """The model of `fit` with a random effect of its clusters.

    Args:
        fit: A model with clusters. Of columns that are not estimable nothing is told; the others are adjusted for
            them all the same.
        distribution: `gamma`: theta maximizes the marginal likelihood; `gaussian`: by restricted maximum
            likelihood (REML).

    R stops its search for theta early, so theta differs from R's by some per cent, coefficients by about
    a hundredth of their standard error.

    Returns:
        None where the data do not tell: no event, one cluster, or effects that cannot be told apart.

    Source:
        Therneau and Grambsch 2000, chapter 9: penalized partial likelihood, profile over theta.

    Raises:
        ValueError: The model has no clusters.
    """
    option(distribution, get_args(Distribution), "distribution")
    if fit.cluster is None:
        raise ValueError("a shared frailty needs clusters")
    rows = fit.maximum.at_maximum.rows
    cluster = np.unique(fit.cluster[rows.order], return_inverse=True)[1].astype(np.int64)
    if not fit.events or not cluster.any():
        return None
    try:
        return _fitted(fit, distribution, cluster)
    except np.linalg.LinAlgError:
        return None


def _fitted(fit: CoxFit, distribution: Distribution, cluster: Ints) -> FrailtyFit | None:
    rows = fit.maximum.at_maximum.rows
    fitted, parts = ~fit.maximum.aliased, fit.maximum.directions
    x = fit.design.matrix[rows.order][:, fitted]
    # What runs away stays where the search for its maximum stopped; the rest is fitted in directions of its own.
    kept = np.eye(x.shape[1])
    offset = np.zeros(x.shape[0])
    if parts.lost.shape[1]:
        kept = parts.kept
        away = np.linalg.solve(np.hstack([kept, parts.lost]), fit.maximum.coef[fitted])
        offset = (x - x.mean(axis=0)) @ parts.lost @ away[kept.shape[1] :]
    with_clusters = _with_clusters(x @ kept, cluster)
    search = _Search(fit, with_clusters, kept.shape[1], distribution, cluster, offset)
    theta = search.theta()
    if theta is None:
        return None
    state = search.fit(theta)
    p = kept.shape[1]
    inverse: Floats = np.asarray(np.linalg.inv(state.penalized), dtype=np.float64)
    sandwich = inverse @ state.at.information() @ inverse
    of_columns = kept[fit.used[fitted]]
    coef = of_columns @ state.coef[:p]
    se = _root_of_diagonal(of_columns @ inverse[:p, :p] @ of_columns.T)
    columns = {
        "coef": coef,
        "se": se,
        "se2": _root_of_diagonal(of_columns @ sandwich[:p, :p] @ of_columns.T),
        "chi_squared": (coef / se) ** 2,
        "p": two_sided(coef / se),
    }
    names = [name for name, used in zip(fit.names, fit.used, strict=True) if used]
    table = pl.DataFrame({"term": names, **columns}).fill_nan(None)
    return FrailtyFit(theta, distribution, table, state.coef[p:])


def _root_of_diagonal(variance: Floats) -> Floats:
    """Standard errors; NaN where the data leave no variance (rounding below 0)."""
    diagonal = np.diag(variance)
    return np.sqrt(diagonal, out=np.full(diagonal.size, np.nan), where=diagonal > 0)


def _with_clusters(x: Floats, cluster: Ints) -> Floats:
    member = (cluster[:, None] == np.arange(int(cluster.max()) + 1)).astype(np.float64)
    return np.hstack([x - x.mean(axis=0), member])


@dataclass(frozen=True)
class _Search:
    model: CoxFit
    x: Floats
    p: int
    distribution: Distribution
    cluster: Ints
    offset: Floats

    def fit(self, theta: float) -> _State:
        """Newton's method on the penalized likelihood of coefficients and effects, steps halved if it falls."""
        here = self._at(np.zeros(self.x.shape[1]), theta)
        for _ in range(MAX_STEPS):
            first = self._penalty(here.coef[self.p :], theta)[0]
            score = here.at.score.copy()
            score[self.p :] -= first
            step = np.linalg.solve(here.penalized, score)
            there = self._at(here.coef + step, theta)
            while there.value < here.value - AT_REST and np.abs(step).max() > AT_REST:
                step = step / 2
                there = self._at(here.coef + step, theta)
            here = there
            if np.abs(step).max() <= AT_REST:
                break
        return here

    def _at(self, coef: Floats, theta: float) -> _State:
        at = likelihood(self.model.maximum.at_maximum.rows, self.x, coef, self.offset)
        if not np.isfinite(at.loglik):
            # A step too far: halved by who took it.
            return _State(at, coef, np.eye(coef.size), -np.inf)
        _, second, penalty = self._penalty(coef[self.p :], theta)
        penalized = at.information().copy()
        effect = np.arange(self.p, coef.size)
        penalized[effect, effect] += second
        return _State(at, coef, penalized, at.loglik - penalty)

    def _penalty(self, b: Floats, theta: float) -> tuple[Floats, Floats, float]:
        if self.distribution == "gaussian":
            return b / theta, np.full(b.size, 1 / theta), float(b @ b) / (2 * theta)
        risen = np.exp(b)
        return (risen - 1) / theta, risen / theta, float((risen - b).sum()) / theta

    def theta(self) -> float | None:
        """The variance that the data speak for; None if none is large enough."""
        from scipy.optimize import brentq, minimize_scalar

        bounds = (float(np.log(SMALLEST)), float(np.log(LARGEST)))
        if self.distribution == "gamma":
            found = minimize_scalar(
                lambda at: -self._marginal(float(np.exp(at))), bounds=bounds, method="bounded"
            )
            return float(np.exp(found.x))
        if self._reml(bounds[0]) <= 0:
            return SMALLEST
        if not self._reml(bounds[1]) < 0:
            return None
        return float(np.exp(brentq(self._reml, *bounds, xtol=1e-8)))

    def _reml(self, log_theta: float) -> float:
        """How much larger the effects are than theta says."""
        theta = float(np.exp(log_theta))
        state = self.fit(theta)
        b = state.coef[self.p :]
        trace = float(np.trace(np.linalg.inv(state.penalized)[self.p :, self.p :]))
        free = b.size - trace / theta
        return float(np.log((b @ b) / free)) - log_theta if free > 0 else float("nan")

    def _marginal(self, theta: float) -> float:
        """Log likelihood with the gamma frailties integrated out."""
        from scipy.special import gammaln

        rows = self.model.maximum.at_maximum.rows
        died = np.bincount(self.cluster, rows.event, minlength=self.x.shape[1] - self.p)
        shape = 1 / theta
        after = shape + died
        gain = shape - after * np.log(after) + shape * np.log(shape)
        total = gain + gammaln(after) - gammaln(shape)
        return self.fit(theta).value + float(total.sum())
