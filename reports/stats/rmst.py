"""Restricted mean survival time: the area under the curve up to a time."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np

from reports.stats.kaplan_meier import KaplanMeier


@dataclass(frozen=True)
class RestrictedMean:
    """Mean time lived up to `tau`, in the unit of the times."""

    tau: float
    value: float
    std_err: float
    lower: float
    upper: float
    beyond_last_time: bool


@dataclass(frozen=True)
class MeanDifference:
    """Difference of two restricted means (first minus second)."""

    tau: float
    value: float
    std_err: float
    lower: float
    upper: float
    z: float
    p: float


def restricted_mean(curve: KaplanMeier, tau: float) -> RestrictedMean:
    """The area under the curve from 0 to `tau`, with its standard error.

    After the last observed time the curve is carried on as it ended; `beyond_last_time` says so.

    Source:
        Variance: sum over event times of (area right of t)^2 d / (n (n - d)), without the term at which
        the curve reaches 0; R `summary(survfit(...), rmean = tau)`.

    Raises:
        ValueError: `tau` is not positive, or infinite.
    """
    if not 0 < tau < np.inf:
        raise ValueError("tau must be positive and finite")
    inside = curve.time < tau
    edges = np.concatenate([[0.0], curve.time[inside], [tau]])
    height = np.concatenate([[1.0], curve.survival[inside]])
    areas = np.diff(edges) * height
    right_of = np.cumsum(areas[::-1])[::-1][1:]
    n, d = curve.n_risk[inside], curve.n_event[inside]
    left = n - d
    term = np.divide(d, n * left, out=np.zeros_like(n), where=left > 0)
    value, std_err = float(areas.sum()), float(np.sqrt((right_of**2 * term).sum()))
    z = NormalDist().inv_cdf(0.5 + curve.level / 2)
    return RestrictedMean(
        tau=float(tau),
        value=value,
        std_err=std_err,
        lower=value - z * std_err,
        upper=value + z * std_err,
        beyond_last_time=bool(tau > curve.time[-1]),
    )


def mean_difference(
    first: RestrictedMean, second: RestrictedMean, level: float = 0.95
) -> MeanDifference:
    """Difference of the restricted means of two independent groups.

    Source:
        Royston and Parmar 2013: the variances add; survRM2.

    Raises:
        ValueError: The two were taken at different times.
    """
    if first.tau != second.tau:
        raise ValueError("restricted means must end at the same time to be compared")
    value = first.value - second.value
    std_err = float(np.hypot(first.std_err, second.std_err))
    z = value / std_err if std_err > 0 else float("nan")
    width = NormalDist().inv_cdf(0.5 + level / 2) * std_err
    p = float("nan") if np.isnan(z) else erfc(abs(z) / sqrt(2))
    return MeanDifference(first.tau, value, std_err, value - width, value + width, z, p)
