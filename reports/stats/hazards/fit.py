"""A fitted Cox model: coefficients with their errors, and the data that further statistics need."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.stats.concordance import Concordance, concordance
from reports.stats.design import Design
from reports.stats.hazards.newton import Maximum
from reports.stats.times import Bools, Floats

PIVOT = float(np.finfo(float).eps ** 0.75)
ESTIMATED, ALIASED, NOT_ESTIMABLE = "estimated", "aliased", "not estimable"


@dataclass(frozen=True)
class GlobalTest:
    """A chi-squared test of the whole model."""

    statistic: float
    df: int
    p: float


@dataclass(frozen=True)
class CoxFit:
    """A Cox model as R's `coxph` fits it.

    Coefficients are log hazard ratios in the order of the columns (`names`); NaN where a column is aliased
    (it says nothing that those before do not) or not estimable (no finite maximum: separation).
    """

    formula: str
    names: tuple[str, ...]
    term_of: tuple[int, ...]
    terms: tuple[str, ...]
    n: int
    events: int
    n_dropped: int
    dropped_by: dict[str, int]
    ties: str
    level: float
    maximum: Maximum = field(repr=False)
    design: Design = field(repr=False)
    cluster: NDArray[Any] | None = field(repr=False, default=None)

    @property
    def used(self) -> Bools:
        """Columns with a finite coefficient."""
        return self.maximum.used

    @property
    def df(self) -> int:
        """Columns that are not aliased."""
        return int((~self.maximum.aliased).sum())

    @cached_property
    def coef(self) -> Floats:
        """Log hazard ratios; NaN as told above."""
        return np.where(self.used, self.maximum.coef, np.nan)

    @property
    def naive_variance(self) -> Floats:
        """Inverse of the information; NaN for columns without a finite coefficient."""
        return self._of_used(self.maximum.covariance)

    @cached_property
    def covariance(self) -> Floats:
        """The covariance in use, robust if the model has clusters: of every combination that can be estimated.

        Columns that run away together have their part in it: their differences are known, they are not.
        """
        from reports.stats.hazards.residuals import robust_covariance

        return self.maximum.covariance if self.cluster is None else robust_covariance(self)

    @property
    def variance(self) -> Floats:
        """The variance in use: robust if the model has clusters, else the inverse of the information."""
        return self._of_used(self.covariance)

    def _of_used(self, covariance: Floats) -> Floats:
        """The matrix, NaN in rows and columns without a finite coefficient."""
        return np.where(self.used[:, None] & self.used, covariance, np.nan)

    @property
    def few_clusters(self) -> bool:
        """Whether there are too few clusters to tell the coefficients apart: robust errors mislead."""
        return self.cluster is not None and np.unique(self.cluster).size <= self.df

    @property
    def std_err(self) -> Floats:
        """Standard errors by the variance in use."""
        return np.sqrt(np.diag(self.variance))

    @property
    def statuses(self) -> tuple[str, ...]:
        """Per column: estimated, aliased or not estimable."""
        flags = zip(self.maximum.aliased, self.maximum.infinite, strict=True)
        return tuple(ALIASED if a else NOT_ESTIMABLE if i else ESTIMATED for a, i in flags)

    @property
    def loglik_null(self) -> float:
        """Log partial likelihood with all coefficients 0."""
        return self.maximum.at_zero.loglik

    @property
    def loglik(self) -> float:
        """Log partial likelihood at the maximum."""
        return self.maximum.at_maximum.loglik

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return -2 * self.loglik + 2 * self.df

    @property
    def bic(self) -> float:
        """Schwarz's criterion over the number of events."""
        return (
            -2 * self.loglik + float(np.log(self.events)) * self.df if self.events else float("nan")
        )

    def table(self) -> pl.DataFrame:
        """One row per column: term, coef, se, robust_se (with clusters), z, p, hr, hr_lower, hr_upper, status.

        Both limits are null where one is too large for a number.
        """
        width = NormalDist().inv_cdf(0.5 + self.level / 2) * self.std_err
        z = self.coef / self.std_err
        with np.errstate(over="ignore"):
            limits = np.exp([self.coef - width, self.coef + width])
        lower, upper = np.where(np.isinf(limits).any(axis=0), np.nan, limits)
        robust = {} if self.cluster is None else {"robust_se": self.std_err}
        columns = {
            "coef": self.coef,
            "se": np.sqrt(np.diag(self.naive_variance)),
            **robust,
            "z": z,
            "p": two_sided(z),
            "hr": np.exp(self.coef),
            "hr_lower": lower,
            "hr_upper": upper,
        }
        frame = pl.DataFrame(columns, schema_overrides=dict.fromkeys(columns, pl.Float64))
        return frame.fill_nan(None).select(
            pl.Series("term", self.names, pl.String),
            pl.all(),
            pl.Series("status", self.statuses, pl.String),
        )

    def likelihood_ratio(self) -> GlobalTest:
        """Likelihood ratio test of all coefficients."""
        return chi_squared_test(2 * (self.loglik - self.loglik_null), self.df)

    def wald(self) -> GlobalTest:
        """Wald test of all coefficients by the variance in use; not a number if one is not estimable.

        With fewer clusters than coefficients (`few_clusters`) it is over the first columns that the clusters
        tell apart, as in R, and not to be trusted.
        """
        if (
            not np.isfinite(self.variance[np.ix_(self.used, self.used)]).all()
            or self.maximum.infinite.any()
        ):
            return GlobalTest(float("nan"), self.df, float("nan"))
        used = self.used
        return chi_squared_test(
            quadratic_form(self.variance[np.ix_(used, used)], self.coef[used]), self.df
        )

    def concordance(self) -> Concordance:
        """How the fitted risk orders the events; unweighted.

        Columns that are not estimable count where the search stopped: their order of risk is known.

        Raises:
            ValueError: The model has case weights.
        """
        rows = self.maximum.at_maximum.rows
        if not (rows.weight == 1).all():
            raise ValueError("concordance with case weights is not defined here")
        # Summed column by column: equal rows get equal sums.
        risk = np.zeros(rows.time.size)
        for column, coef in zip(self.design.matrix.T, self.maximum.coef, strict=True):
            risk += (column[rows.order] - column.mean()) * coef
        cluster = None if self.cluster is None else self.cluster[rows.order]
        return concordance(
            rows.time, rows.event, risk, entry=rows.entry, stratum=rows.stratum, cluster=cluster
        )

    def score(self) -> GlobalTest:
        """Score test of all coefficients (without ties, of one factor: the log-rank test)."""
        start = self.maximum.at_zero
        return chi_squared_test(quadratic_form(start.information(), start.score), self.df)


def chi_squared_test(statistic: float, df: int) -> GlobalTest:
    """A statistic with its P; with 0 degrees of freedom there is no P."""
    from scipy.special import chdtrc

    return GlobalTest(statistic, df, float(chdtrc(df, max(statistic, 0.0))) if df else float("nan"))


def two_sided(z: Floats) -> Floats:
    """P of standard normal statistics."""
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(z)), dtype=np.float64)


def quadratic_form(matrix: Floats, vector: Floats) -> float:
    """The vector times the inverse of the matrix times the vector.

    Of a singular matrix over the columns that those before them do not give.

    Source:
        R, survival, `coxph.wtest`: Cholesky elimination, pivots below 1.8e-12 of the largest are none.
    """
    left, kept = matrix.copy(), np.zeros(vector.size, dtype=bool)
    smallest = PIVOT * float(np.diag(matrix).max()) if vector.size else 0.0
    for k in range(vector.size):
        if left[k, k] > smallest:
            kept[k] = True
            factor = left[k + 1 :, k] / left[k, k]
            left[k + 1 :, k + 1 :] -= np.outer(factor, left[k, k + 1 :])
    chosen = vector[kept]
    return float(chosen @ np.linalg.solve(matrix[np.ix_(kept, kept)], chosen))
