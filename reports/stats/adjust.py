"""P values of several tests, adjusted for their number."""

from __future__ import annotations

from typing import Literal

import numpy as np

from reports.stats.times import Floats

Method = Literal["holm", "hochberg", "bh", "bonferroni"]


def p_adjust(p: Floats, method: Method = "holm") -> Floats:
    """Adjusted P values in the order given; NaN stays NaN and does not count as a test.

    Source:
        Holm 1979, Hochberg 1988, Benjamini and Hochberg 1995; R `p.adjust`.
    """
    values = np.asarray(p, dtype=np.float64)
    known = ~np.isnan(values)
    adjusted = np.full(values.shape, np.nan)
    adjusted[known] = _adjust(values[known], method)
    return adjusted


def _adjust(p: Floats, method: Method) -> Floats:
    n = p.size
    if method == "bonferroni":
        return np.minimum(1.0, p * n)
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, n + 1)
    result = np.empty(n)
    if method == "holm":
        result[order] = np.minimum(1.0, np.maximum.accumulate((n - rank + 1) * p[order]))
        return result
    factor = n / rank if method == "bh" else n - rank + 1
    falling = np.minimum.accumulate((factor * p[order])[::-1])[::-1]
    result[order] = np.minimum(1.0, falling)
    return result
