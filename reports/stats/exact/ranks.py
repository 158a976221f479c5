"""Rank tests: Wilcoxon's for two samples, Kruskal and Wallis's for more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reports.stats.exact.samples import samples
from reports.stats.times import Floats

EXACT_BELOW = 50


@dataclass(frozen=True)
class Wilcoxon:
    """The rank sum test of two samples.

    `statistic` is W: pairs in which the first sample is larger, ties counting half. `p` is by R's rule, and
    `exact` says which side of it: both samples below 50 values and no ties. `p_normal` is the normal
    approximation with continuity correction, `p_uncorrected` without. NaN where all values are equal.
    """

    statistic: float
    p: float
    exact: bool
    p_normal: float
    p_uncorrected: float
    ties: bool


@dataclass(frozen=True)
class KruskalWallis:
    """The rank test of any number of samples, corrected for ties; NaN where all values are equal."""

    statistic: float
    df: int
    p: float


def wilcoxon(
    x: ArrayLike, group: ArrayLike, *, levels: Sequence[str] | None = None
) -> Wilcoxon | None:
    """Two-sided Wilcoxon rank sum (Mann-Whitney) test.

    Args:
        x: A number per person; NaN is left out.
        group: A label per person.
        levels: The two groups in their order; None takes the labels, ascending.

    Returns:
        None unless exactly two groups have values.

    Source:
        R, `wilcox.test` with its default: exact below 50 values each without ties.
    """
    found = samples(x, group, levels)
    return rank_sum(found[0], found[1]) if len(found) == 2 else None


def rank_sum(first: Floats, second: Floats) -> Wilcoxon:
    """The same test of two samples as arrays without missing values, neither empty."""
    from scipy.stats import mannwhitneyu, norm, rankdata

    joined = np.concatenate([first, second])
    ranks = rankdata(joined)
    m, n = first.size, second.size
    statistic = float(ranks[:m].sum() - m * (m + 1) / 2)
    tied = np.unique(joined, return_counts=True)[1].astype(np.float64)
    ties = bool((tied > 1).any())
    total = m + n
    # One value in all leaves no degree of freedom for the tie correction.
    correction = float((tied**3 - tied).sum()) / (total * (total - 1))
    spread = math.sqrt(m * n / 12 * (total + 1 - correction))
    distance = abs(statistic - m * n / 2)
    if spread == 0:
        return Wilcoxon(statistic, math.nan, False, math.nan, math.nan, ties)
    normal = float(min(1.0, 2 * norm.sf((distance - min(0.5, distance)) / spread)))
    uncorrected = float(2 * norm.sf(distance / spread))
    exact = max(m, n) < EXACT_BELOW and not ties
    p = float(mannwhitneyu(first, second, method="exact").pvalue) if exact else normal
    return Wilcoxon(statistic, p, exact, normal, uncorrected, ties)


def kruskal_wallis(
    x: ArrayLike, group: ArrayLike, *, levels: Sequence[str] | None = None
) -> KruskalWallis | None:
    """Kruskal-Wallis test.

    Args:
        x: A number per person; NaN is left out.
        group: A label per person.
        levels: The groups that are compared; None takes all labels.

    Returns:
        None where fewer than two groups have values.

    Source:
        R, `kruskal.test`.
    """
    found = samples(x, group, levels)
    return rank_sums(found) if len(found) > 1 else None


def rank_sums(found: Sequence[Floats]) -> KruskalWallis:
    """The same test of two or more samples as arrays without missing values, none empty."""
    from scipy.stats import chi2, rankdata

    joined = np.concatenate(list(found))
    n, df = joined.size, len(found) - 1
    ranks = np.split(rankdata(joined), np.cumsum([sample.size for sample in found])[:-1])
    tied = np.unique(joined, return_counts=True)[1].astype(np.float64)
    scale = 1 - float((tied**3 - tied).sum()) / (float(n) ** 3 - n)
    if scale <= 0:
        return KruskalWallis(math.nan, df, math.nan)
    middle = (n + 1) / 2
    between = sum(part.size * float(part.mean() - middle) ** 2 for part in ranks)
    statistic = 12 * between / (n * (n + 1)) / scale
    return KruskalWallis(statistic, df, float(chi2.sf(statistic, df)))
