"""Fine-Gray regression as R's `survival::finegray` and a weighted `coxph` fit it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from reports.stats.checks import confidence, option
from reports.stats.competing.at_risk import checked
from reports.stats.competing.fine_gray import (
    checked_covariates,
    standardized,
    wald,
)
from reports.stats.competing.sandwich import robust_variance, score_residuals
from reports.stats.competing.subdistribution import Problem, aliased, maximize, prepare
from reports.stats.times import Bools, Floats, merge_close_times

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True)
class SubdistributionCox:
    """A fitted model; arrays have a value per covariate, in their order.

    `std_err` is the model-based error, `robust_std_err` the one by person (persons are the clusters); z, P
    and limits are by the robust one. An `aliased` column says nothing that those before it do not, and is NaN; so
    is one without a maximum (then `converged` is False). `n_rows` and `sum_weights` describe the data set that R expands.
    """

    coefficient: Floats
    std_err: Floats
    robust_std_err: Floats
    z: Floats
    p: Floats
    lower: Floats
    upper: Floats
    variance: Floats
    aliased: Bools
    loglik: float
    loglik_null: float
    n: int
    n_event: int
    n_rows: int
    sum_weights: float
    converged: bool


def subdistribution_cox(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    *,
    cause: int,
    censor: int = 0,
    ties: Ties = "efron",
    level: float = 0.95,
) -> SubdistributionCox | None:
    """Proportional model of the subdistribution hazard, by the weighted Cox likelihood.

    Differs from `fine_gray`: censorings come after events of the same time, ties may be Efron's, and the
    standard error takes the censoring distribution as known. Nothing is expanded here: the sums that the
    expanded rows would give are cumulative sums over persons.

    Args:
        time: Not negative, any unit; times that differ by noise are made equal first.
        event: Code per person.
        covariates: A row per person, a column per term; no missing values.
        cause: The code whose incidence is modelled.
        censor: The code of censored persons.
        ties: Efron's method is R's default.
        level: Level of the confidence limits.

    Returns:
        None where it cannot be estimated: no event of the cause, or no column that tells persons apart.

    Raises:
        ValueError: Missing or unequal data, or `cause` is the code of censored persons.

    Source:
        Geskus 2011 (Biometrics 67, 39-49); R, survival 3.5, `finegray` and `coxph(weights = fgwt, id = .id,
        robust = TRUE)`.
    """
    times, codes, _ = checked(time, event)
    columns = checked_covariates(covariates, times.size)
    option(ties, get_args(Ties), "ties")
    confidence(level)
    if cause == censor:
        raise ValueError("the cause of interest is the code of censored persons")
    if not columns.shape[1] or not (codes == cause).any():
        return None
    scaled, deviation = standardized(columns)
    whole = prepare(
        merge_close_times(times),
        codes,
        scaled,
        np.zeros(times.size, dtype=np.intp),
        cause=cause,
        censor=censor,
        rule="events first",
        efron=ties == "efron",
    )
    lost = aliased(whole)
    if lost.all():
        return None
    problem = replace(whole, covariates=whole.covariates[:, ~lost])
    found = maximize(problem)
    residuals = score_residuals(problem, found.state)
    robust = robust_variance(found.covariance, residuals)
    *numbers, variance = wald(found, robust, deviation[~lost], level)
    std_err = wald(found, found.covariance, deviation[~lost], level)[1]
    coefficient, error, z, p, lower, upper = (_of_all(values, lost) for values in numbers)
    n_rows, sum_weights = expanded(problem)
    return SubdistributionCox(
        coefficient=coefficient,
        std_err=_of_all(std_err, lost),
        robust_std_err=error,
        z=z,
        p=p,
        lower=lower,
        upper=upper,
        variance=_of_all(_of_all(variance, lost).T, lost),
        aliased=lost,
        loglik=found.state.loglik,
        loglik_null=found.loglik_null,
        n=times.size,
        n_event=int(problem.died.sum()),
        n_rows=n_rows,
        sum_weights=sum_weights,
        converged=not found.diverged.any(),
    )


def _of_all(values: Floats, lost: Bools) -> Floats:
    """The same with a NaN (or a row of them) for each lost column."""
    full = np.full((lost.size, *values.shape[1:]), np.nan)
    full[~lost] = values
    return full


def expanded(problem: Problem) -> tuple[int, float]:
    """Rows of the data set that R expands for this model, and the sum of their weights.

    Everyone has one row. A competing event adds a row per later stretch between censoring times in which the
    cause happens; a stretch ends at its censoring time, and weights are constant inside.
    """
    gone = ~problem.own & ~problem.competing
    ends = np.unique(np.append(problem.time[gone], problem.time[-1]))
    stretch, first = np.unique(
        np.searchsorted(ends, problem.event_time, side="left"), return_index=True
    )
    value = problem.curves[0][first]
    ahead = np.concatenate([np.cumsum(value[::-1])[::-1], [0.0]])
    own = np.searchsorted(ends, problem.time[problem.competing], side="left")
    index = np.searchsorted(stretch, own, side="right")
    n = problem.time.size
    weights = problem.weight[problem.competing] * ahead[index]
    return n + int((stretch.size - index).sum()), n + float(weights.sum())
