"""Tests and intervals of the baseline table; scipy computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.stats.times import Floats


@dataclass(frozen=True)
class Test:
    """A test with its statistic; NaN where the data cannot answer."""

    statistic: float
    df: int | None
    p: float
    method: str
    smallest_expected: float | None = None


@dataclass(frozen=True)
class Proportion:
    """A share with its confidence interval."""

    value: float
    lower: float
    upper: float


def chi_squared(counts: NDArray[np.int64]) -> Test:
    """Pearson's chi-squared test of a table of counts, levels by groups, without continuity correction.

    Levels and groups without any patient are left out. `smallest_expected` below 5 asks for caution.

    Source:
        R `chisq.test(counts, correct = FALSE)`.
    """
    from scipy.stats import chi2_contingency

    used = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    method = "Pearson chi-squared test without continuity correction"
    if used.shape[0] < 2 or used.shape[1] < 2:
        return Test(float("nan"), None, float("nan"), method)
    result = chi2_contingency(used, correction=False)
    return Test(
        float(result.statistic),
        int(result.dof),
        float(result.pvalue),
        method,
        float(result.expected_freq.min()),
    )


def rank_test(groups: Sequence[Floats]) -> Test:
    """Kruskal-Wallis test over three or more groups, Mann-Whitney test over two; ties are corrected.

    Groups without any value are left out.

    Source:
        R `kruskal.test`; `wilcox.test` with its own rule: exact where both groups have fewer than 50
        values and no ties, else the normal approximation with continuity correction.
    """
    from scipy.stats import kruskal, mannwhitneyu

    filled = [values for values in groups if values.size]
    if len(filled) > 2:
        method = "Kruskal-Wallis test"
        if np.unique(np.concatenate(filled)).size == 1:
            return Test(float("nan"), len(filled) - 1, float("nan"), method)
        result = kruskal(*filled)
        return Test(float(result.statistic), len(filled) - 1, float(result.pvalue), method)
    if len(filled) < 2:
        return Test(float("nan"), None, float("nan"), "Mann-Whitney test")
    joined = np.concatenate(filled)
    distinct = np.unique(joined).size
    exact = max(values.size for values in filled) < 50 and distinct == joined.size
    method = f"Mann-Whitney test ({'exact' if exact else 'normal approximation'})"
    result = mannwhitneyu(*filled, method="exact" if exact else "asymptotic", use_continuity=True)
    p = float("nan") if distinct == 1 else float(result.pvalue)
    return Test(float(result.statistic), None, p, method)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Proportion:
    """The share `successes / n` with its exact binomial interval.

    Source:
        Clopper and Pearson 1934; R `binom.test`.
    """
    from scipy.stats import binomtest

    if n == 0:
        return Proportion(float("nan"), float("nan"), float("nan"))
    interval = binomtest(successes, n).proportion_ci(confidence_level=level, method="exact")
    return Proportion(successes / n, float(interval.low), float(interval.high))
