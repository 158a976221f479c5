"""Fine-Gray regression as R's `cmprsk::crr` fits it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from reports.stats.checks import confidence, refuse
from reports.stats.competing.at_risk import checked
from reports.stats.competing.sandwich import (
    censoring_residuals,
    robust_variance,
    score_residuals,
)
from reports.stats.competing.subdistribution import Maximum, aliased, maximize, prepare
from reports.stats.times import Floats


@dataclass(frozen=True)
class FineGray:
    """A fitted model; arrays have a value per covariate, in their order.

    `coefficient` is the log of the subdistribution hazard ratio, `lower` and `upper` its limits. A term
    whose likelihood has no maximum (a level without an event of the cause, or another separation) is NaN
    throughout, and `converged` is False.
    """

    coefficient: Floats
    std_err: Floats
    z: Floats
    p: Floats
    lower: Floats
    upper: Floats
    variance: Floats
    loglik: float
    loglik_null: float
    n: int
    n_event: int
    converged: bool

    @property
    def hazard_ratio(self) -> Floats:
        """Subdistribution hazard ratio of each term."""
        ratio: Floats = np.exp(self.coefficient)
        return ratio

    @property
    def likelihood_ratio(self) -> float:
        """Twice the gain in log pseudo-likelihood over no covariates."""
        return 2 * (self.loglik - self.loglik_null)


def fine_gray(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    *,
    cause: int,
    censor: int = 0,
    censor_groups: ArrayLike | None = None,
    level: float = 0.95,
) -> FineGray | None:
    """Proportional model of the subdistribution hazard of one cause.

    Ties by Breslow's method; the standard error is the sandwich with the term of the estimated censoring
    distribution. `subdistribution_cox` is the other convention (finegray and coxph). With censoring groups the
    coefficients are those of `crr`; its standard errors differ from these in the third digit.

    Args:
        time: Not negative, any unit.
        event: Code per person.
        covariates: A row per person, a column per term; no missing values.
        cause: The code whose incidence is modelled.
        censor: The code of censored persons.
        censor_groups: Label per person; the censoring distribution is estimated within each label.
        level: Level of the confidence limits.

    Returns:
        None where it cannot be estimated: no event of the cause, or linearly dependent covariates.

    Raises:
        ValueError: Missing or unequal data, or `cause` is the code of censored persons.

    Source:
        Fine and Gray 1999 (JASA 94, 496-509); R, cmprsk 2.2, `crr`.
    """
    times, codes, labels = checked(time, event, censor_groups)
    columns = checked_covariates(covariates, times.size)
    confidence(level)
    if cause == censor:
        raise ValueError("the cause of interest is the code of censored persons")
    if not columns.shape[1] or not (codes == cause).any():
        return None
    scaled, deviation = standardized(columns)
    groups = np.unique(labels, return_inverse=True)[1]
    problem = prepare(
        times,
        codes,
        scaled,
        groups,
        cause=cause,
        censor=censor,
        rule="all at risk",
        efron=False,
    )
    if aliased(problem).any():
        return None
    found = maximize(problem)
    residuals = score_residuals(problem, found.state) + censoring_residuals(problem, found.state)
    variance = robust_variance(found.covariance, residuals)
    table = wald(found, variance, deviation, level)
    return FineGray(
        *table,
        loglik=found.state.loglik,
        loglik_null=found.loglik_null,
        n=times.size,
        n_event=int(problem.died.sum()),
        converged=not found.diverged.any(),
    )


def checked_covariates(covariates: ArrayLike, n: int) -> Floats:
    """Covariates as a matrix of numbers.

    Raises:
        ValueError: Not `n` rows, or a missing or infinite value.
    """
    columns = np.asarray(covariates, dtype=np.float64)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.shape[0] != n or columns.ndim != 2:
        raise ValueError("covariates need a row per person")
    for place, column in enumerate(columns.T, start=1):
        refuse(~np.isfinite(column), f"covariate {place}", "missing or infinite; leave them out")
    return columns


def standardized(columns: Floats) -> tuple[Floats, Floats]:
    """Columns with mean 0 and standard deviation 1, and the deviations; a constant column is 0, its deviation 1."""
    deviation = columns.std(axis=0)
    constant = deviation <= 1e-12 * np.abs(columns).max(axis=0)
    deviation = np.where(constant, 1.0, deviation)
    return np.where(constant, 0.0, (columns - columns.mean(axis=0)) / deviation), deviation


def wald(
    found: Maximum, variance: Floats, deviation: Floats, level: float
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats]:
    """Coefficients on the scale of the covariates, with standard error, z, P, limits and covariance.

    NaN for terms that diverged.
    """
    from scipy.stats import norm

    known = ~found.diverged
    coefficient = np.where(known, found.coefficients / deviation, np.nan)
    scaled = np.where(known[:, None] & known, variance / np.outer(deviation, deviation), np.nan)
    error = np.sqrt(np.diag(scaled))
    z = coefficient / error
    width = NormalDist().inv_cdf(0.5 + level / 2) * error
    p = 2 * norm.sf(np.abs(z))
    return coefficient, error, z, p, coefficient - width, coefficient + width, scaled
