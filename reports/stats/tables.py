"""Tests of the baseline table as its rows print them; `reports.stats.exact` computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.stats.exact import contingency
from reports.stats.exact.proportions import Proportion, clopper_pearson
from reports.stats.exact.ranks import rank_sum, rank_sums
from reports.stats.times import Floats

__all__ = ["Proportion", "Test", "chi_squared", "clopper_pearson", "rank_test"]


@dataclass(frozen=True)
class Test:
    """A test with its statistic; NaN where the data cannot answer."""

    statistic: float
    df: int | None
    p: float
    method: str
    smallest_expected: float | None = None


def chi_squared(counts: NDArray[np.int64]) -> Test:
    """Pearson's chi-squared test of a table of counts, levels by groups, without continuity correction.

    Levels and groups without any patient are left out. `smallest_expected` below 5 asks for caution.

    Source:
        R `chisq.test(counts, correct = FALSE)`.
    """
    method = "Pearson chi-squared test without continuity correction"
    result = contingency.chi_squared(counts, yates=False)
    if result is None:
        return Test(float("nan"), None, float("nan"), method)
    return Test(result.statistic, result.df, result.p, method, result.smallest_expected)


def rank_test(groups: Sequence[Floats]) -> Test:
    """Kruskal-Wallis test over three or more groups, Mann-Whitney test over two; ties are corrected.

    Groups without any value are left out.

    Source:
        R `kruskal.test`; `wilcox.test` with its own rule: exact where both groups have fewer than 50
        values and no ties, else the normal approximation with continuity correction.
    """
    filled = [values for values in groups if values.size]
    if len(filled) > 2:
        several = rank_sums(filled)
        return Test(several.statistic, several.df, several.p, "Kruskal-Wallis test")
    if len(filled) < 2:
        return Test(float("nan"), None, float("nan"), "Mann-Whitney test")
    two = rank_sum(filled[0], filled[1])
    method = f"Mann-Whitney test ({'exact' if two.exact else 'normal approximation'})"
    return Test(two.statistic, None, two.p, method)
