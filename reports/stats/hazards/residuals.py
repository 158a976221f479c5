"""Score, Schoenfeld and dfbeta residuals, and the variance that they give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.stats.hazards.likelihood import Likelihood, likelihood
from reports.stats.times import Floats

ROUNDING = 1e-20

if TYPE_CHECKING:
    from reports.stats.hazards.fit import CoxFit, GlobalTest


@np.errstate(
    all="ignore"
)  # where coefficients have run away hazards overflow; no number is given then
def score_residuals(at: Likelihood) -> Floats:
    """Each row's part of the score (n x p), in the order of the sorted rows, without its weight.

    What an event adds (its covariates minus the mean of its risk sets), minus what the hazard that the row
    passed would have added.

    Source:
        Therneau and Grambsch 2000, chapter 4; ties as in R `residuals(fit, "score")`: tied events share
        the mean of their steps.
    """
    rows, events = at.rows, at.rows.events
    hazard = at.hazard
    means = rows.of_points(at.mean)[rows.point] / rows.tied[rows.point][:, None]
    expected = at.x * at.passed_hazard(hazard)[:, None]
    expected -= at.passed_hazard(at.mean * hazard[:, None])
    risk = np.divide(at.risk, rows.weight, out=np.zeros_like(at.risk), where=rows.weight > 0)
    residuals = -risk[:, None] * expected
    residuals[events] += at.x[events] - means
    return residuals


def robust_covariance(fit: CoxFit) -> Floats:
    """The covariance by the clusters' influence on the coefficients; NaN where a column has none.

    One cluster says nothing of the variance: NaN throughout.

    Source:
        Lin and Wei 1989; R `coxph(cluster = )`.
    """
    influence = cluster_sums(fit, _influence(fit))
    naive = fit.maximum.covariance
    variance = np.full_like(naive, np.nan)
    fitted = ~fit.maximum.aliased
    if influence.shape[0] > 1:
        with np.errstate(all="ignore"):
            variance[np.ix_(fitted, fitted)] = influence.T @ influence
    # Clusters whose influences all cancel leave rounding, not a variance.
    none = ~(np.diag(variance) > ROUNDING * np.diag(naive)) | np.isinf(np.diag(variance))
    variance[none, :] = variance[:, none] = np.nan
    return variance


def dfbeta(fit: CoxFit) -> Floats:
    """Change of each finite coefficient if a row had no weight (n x columns), sorted rows."""
    change: Floats = _influence(fit)[:, fit.used[~fit.maximum.aliased]]
    return change


def _influence(fit: CoxFit) -> Floats:
    """The same of all columns that are not aliased; of infinite ones only the known combinations mean something."""
    at = in_units(fit, at_maximum=True)
    fitted = ~fit.maximum.aliased
    weighted = score_residuals(at) * at.rows.weight[:, None]
    with np.errstate(all="ignore"):
        change: Floats = weighted @ fit.maximum.covariance[np.ix_(fitted, fitted)]
    return change


def robust_score(fit: CoxFit) -> GlobalTest:
    """Score test at 0 by the clusters' parts of the score; R `summary(fit)$robscore`."""
    from reports.stats.hazards.fit import chi_squared_test, quadratic_form

    at = in_units(fit, at_maximum=False)
    parts = cluster_sums(fit, score_residuals(at) * at.rows.weight[:, None])
    total = parts.sum(axis=0)
    statistic = quadratic_form(parts.T @ parts, total)
    return chi_squared_test(statistic, fit.df)


def schoenfeld(fit: CoxFit, at: Likelihood | None = None) -> Floats:
    """Schoenfeld residuals (events x columns that are not aliased), in the order of stratum and time.

    Args:
        fit: The model.
        at: Its likelihood at the maximum (`in_units`), if the caller has it already.

    Source:
        Schoenfeld 1982: covariates of the event minus the risk set's mean (tied events: the mean of their steps).
    """
    at = in_units(fit, at_maximum=True) if at is None else at
    rows = at.rows
    means = rows.of_points(at.mean)[rows.point] / rows.tied[rows.point][:, None]
    residuals: Floats = at.x[rows.events] - means
    return residuals


def scaled_schoenfeld(fit: CoxFit) -> Floats:
    """Schoenfeld residuals scaled to estimate each finite coefficient over time: beta + events x residual x variance.

    Source:
        Grambsch and Therneau 1994; R `residuals(fit, "scaledsch")`.
    """
    used, fitted = fit.used, ~fit.maximum.aliased
    residuals = schoenfeld(fit)
    scaled: Floats = residuals @ fit.maximum.covariance[np.ix_(fitted, used)] * residuals.shape[0]
    return scaled + fit.coef[used]


def cluster_sums(fit: CoxFit, values: Floats) -> Floats:
    """Sums of the sorted rows' values over the clusters; without clusters the rows themselves."""
    if fit.cluster is None:
        return values
    code = np.unique(fit.cluster[fit.maximum.at_maximum.rows.order], return_inverse=True)[1]
    sums = np.zeros((int(code.max()) + 1, values.shape[1]))
    for column in range(values.shape[1]):
        sums[:, column] = np.bincount(code, values[:, column])
    return sums


def in_units(fit: CoxFit, *, at_maximum: bool) -> Likelihood:
    """The likelihood over the columns that are not aliased in the caller's units, at the maximum or at 0."""
    sets = fit.maximum.at_maximum.rows
    fitted = ~fit.maximum.aliased
    x = fit.design.matrix[sets.order][:, fitted]
    centered = x - x.mean(axis=0) if x.size else x
    coef = fit.maximum.coef[fitted] if at_maximum else np.zeros(centered.shape[1])
    return likelihood(sets, centered, coef)
