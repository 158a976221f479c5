"""The log-rank test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.stats.times import Bools, Floats


@dataclass(frozen=True)
class LogRank:
    """Test statistic, degrees of freedom, P, and observed and expected events per group."""

    chi_squared: float
    df: int
    p: float
    groups: tuple[str, ...]
    n: tuple[int, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]


def log_rank(
    times: Floats, events: Bools, groups: NDArray[np.str_], *, rho: float = 0.0
) -> LogRank:
    """Two-sided log-rank test over all groups at once; lifelines computes the statistic.

    Args:
        times: As for `kaplan_meier`, all groups together.
        events: True where the event was seen.
        groups: The group of each patient.
        rho: 0 is the log-rank test; 1 the Peto-Peto weighting by S(t-) (R's `survdiff(rho = 1)`).

    Raises:
        ValueError: Fewer than two groups.
    """
    from lifelines.statistics import multivariate_logrank_test

    names = np.unique(groups)
    if names.size < 2:
        raise ValueError("a log-rank test needs at least two groups")
    weights = {} if rho == 0 else {"weightings": "fleming-harrington", "p": rho, "q": 0}
    result = multivariate_logrank_test(times, groups, events, **weights)
    observed, expected = _observed_expected(times, events, groups, names, rho)
    return LogRank(
        chi_squared=float(result.test_statistic),
        df=int(names.size - 1),
        p=float(result.p_value),
        groups=tuple(str(name) for name in names),
        n=tuple(int((groups == name).sum()) for name in names),
        observed=tuple(float(x) for x in observed),
        expected=tuple(float(x) for x in expected),
    )


def _observed_expected(
    times: Floats, events: Bools, groups: NDArray[np.str_], names: NDArray[np.str_], rho: float
) -> tuple[Floats, Floats]:
    distinct = np.unique(times[events])
    at_risk = np.stack([_at_least(times[groups == name], distinct) for name in names])
    died = np.stack([_equal(times[(groups == name) & events], distinct) for name in names])
    total_risk, total_died = at_risk.sum(axis=0), died.sum(axis=0)
    survival_before = np.concatenate([[1.0], np.cumprod(1 - total_died / total_risk)[:-1]])
    weight = survival_before**rho if distinct.size else np.ones(0)
    return (died * weight).sum(axis=1), (at_risk * (total_died / total_risk) * weight).sum(axis=1)


def _at_least(times: Floats, points: Floats) -> Floats:
    return (times.size - np.searchsorted(np.sort(times), points, side="left")).astype(np.float64)


def _equal(times: Floats, points: Floats) -> Floats:
    ordered = np.sort(times)
    right, left = (
        np.searchsorted(ordered, points, "right"),
        np.searchsorted(ordered, points, "left"),
    )
    return (right - left).astype(np.float64)
