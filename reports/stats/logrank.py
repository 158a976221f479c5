"""The log-rank test and its family, over any number of groups, stratified or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.stats.checks import durations, flags, same_size
from reports.stats.checks import groups as labels
from reports.stats.exact.adjust import Method, adjusted
from reports.stats.times import Bools, Floats

ADJUSTED: tuple[Method, ...] = ("holm", "bh", "bonferroni")


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


@dataclass(frozen=True)
class Pair:
    """The test of two groups alone, with P adjusted over all pairs."""

    first: str
    second: str
    chi_squared: float
    p: float
    holm: float
    bh: float
    bonferroni: float


def log_rank(
    times: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    *,
    rho: float = 0.0,
    strata: ArrayLike | None = None,
) -> LogRank:
    """Two-sided log-rank test over all groups at once.

    Args:
        times: As for `kaplan_meier`, all groups together; without entry times (R's `survdiff` has none either:
            the score test of a Cox model does that).
        events: True where the event was seen.
        groups: The group of each patient.
        rho: 0 is the log-rank test; 1 weights by S(t-), the Peto-Peto form (R's `survdiff(rho = 1)`).
        strata: Only patients of one stratum are compared with each other; the sums run over the strata.

    Source:
        Harrington and Fleming 1982; R `survdiff`. Variance: hypergeometric, per distinct event time. lifelines
        has no stratified test, so the test is computed here.

    Raises:
        ValueError: Fewer than two groups; a time is missing, infinite or negative; a group or stratum is missing; or
            an event is coded otherwise than 0 and 1 or False and True.
    """
    end, seen = durations(times), flags(events)
    names, group = labels(groups)
    stratum = None if strata is None else labels(strata, "strata")[1]
    same_size(times=end, events=seen, groups=group, strata=stratum)
    if len(names) < 2:
        raise ValueError("a log-rank test needs at least two groups")
    if stratum is None:
        stratum = np.zeros(end.size, dtype=np.int64)
    died, at_risk, of_stratum = _counts(end, seen, group, stratum, len(names))
    all_died, all_at_risk = died.sum(axis=1), at_risk.sum(axis=1)
    weight = _survival_before(all_died / all_at_risk, of_stratum) ** rho
    share = at_risk / all_at_risk[:, None]
    observed = (died * weight[:, None]).sum(axis=0)
    expected = (share * (all_died * weight)[:, None]).sum(axis=0)
    alone = np.maximum(all_at_risk - 1, 1)
    spread = weight**2 * all_died * (all_at_risk - all_died) / alone
    variance = np.diag(spread @ share) - share.T @ (share * spread[:, None])
    chi_squared, df = _quadratic(observed - expected, variance, expected > 0)
    return LogRank(
        chi_squared=chi_squared,
        df=df,
        p=_upper_tail(chi_squared, df),
        groups=names,
        n=tuple(int(count) for count in np.bincount(group)),
        observed=tuple(float(x) for x in observed),
        expected=tuple(float(x) for x in expected),
    )


def pairwise_log_rank(
    times: ArrayLike,
    events: ArrayLike,
    groups: ArrayLike,
    order: Sequence[str] | None = None,
    *,
    rho: float = 0.0,
    strata: ArrayLike | None = None,
) -> list[Pair]:
    """The log-rank test of each pair of groups, with P adjusted over the pairs.

    Args:
        times: As for `log_rank`.
        events: As for `log_rank`.
        groups: The group of each patient.
        order: The groups in the order in which pairs are named; None is the alphabet.
        rho: As for `log_rank`.
        strata: As for `log_rank`.

    Two groups without an event while both are watched have statistic 0 and P 1, as R's `pchisq(0, 1)` gives it, and
    count among the tests.
    """
    end, seen = durations(times), flags(events)
    present, code = labels(groups)
    names = list(order) if order is not None else list(present)
    label = np.array(present)[code]
    stratum = None if strata is None else labels(strata, "strata")[1]
    same_size(times=end, events=seen, groups=code, strata=stratum)
    pairs = list(combinations([name for name in names if name in present], 2))
    tests = []
    for pair in pairs:
        mine = np.isin(label, pair)
        within = None if stratum is None else stratum[mine]
        tests.append(log_rank(end[mine], seen[mine], label[mine], rho=rho, strata=within))
    # A test without degrees of freedom found nothing: it is one of the family.
    p = np.array([test.p if test.df else 1.0 for test in tests])
    by_method = [adjusted(p, method) for method in ADJUSTED]
    return [
        Pair(a, b, test.chi_squared, float(p[k]), *(float(values[k]) for values in by_method))
        for k, ((a, b), test) in enumerate(zip(pairs, tests, strict=True))
    ]


def _counts(
    times: Floats, events: Bools, group: NDArray[Any], stratum: NDArray[Any], n_groups: int
) -> tuple[Floats, Floats, NDArray[Any]]:
    """Per event time of each stratum: events and patients at risk by group, and the stratum."""
    order = np.lexsort((times, stratum))
    t, s = times[order], stratum[order]
    new = (
        np.concatenate([[True], (np.diff(t) > 0) | (np.diff(s) > 0)])
        if t.size
        else np.zeros(0, bool)
    )
    point = np.cumsum(new) - 1
    cell = point * n_groups + group[order]
    n_points = int(new.sum())
    size = n_points * n_groups
    removed = np.bincount(cell, minlength=size).reshape(n_points, n_groups)
    died = np.bincount(cell, events[order], minlength=size).reshape(n_points, n_groups)
    of_stratum = s[new]
    later = np.cumsum(removed[::-1], axis=0)[::-1]
    # Those of the strata behind are counted in `later` too: take what the stratum's end leaves.
    after_end = np.vstack([later, np.zeros((1, n_groups))])[
        np.searchsorted(of_stratum, of_stratum, "right")
    ]
    seen = died.sum(axis=1) > 0
    return died[seen], (later - after_end)[seen], of_stratum[seen]


def _survival_before(hazard: Floats, stratum: NDArray[Any]) -> Floats:
    """Kaplan-Meier estimate of all groups just before each event time, per stratum."""
    before = np.empty(hazard.size)
    bounds = np.flatnonzero(np.diff(stratum)) + 1
    for rows in np.split(np.arange(hazard.size), bounds):
        before[rows] = np.concatenate([[1.0], np.cumprod(1 - hazard[rows])[:-1]])[: rows.size]
    return before


def _quadratic(difference: Floats, variance: Floats, used: Bools) -> tuple[float, int]:
    df = max(int(used.sum()) - 1, 0)
    if df == 0:
        return 0.0, 0
    d, v = difference[used][1:], variance[np.ix_(used, used)][1:, 1:]
    try:
        return float(d @ np.linalg.solve(v, d)), df
    except np.linalg.LinAlgError:
        return float("nan"), df


def _upper_tail(chi_squared: float, df: int) -> float:
    from scipy.special import chdtrc

    return float("nan") if df == 0 else float(chdtrc(df, chi_squared))
