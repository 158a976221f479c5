"""P values of several tests, adjusted for their number."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from reports.stats.times import Floats

Method = Literal["holm", "hochberg", "bonferroni", "bh"]


def adjusted(p: ArrayLike, method: Method = "holm") -> Floats:
    """Adjusted P values, in the order of the given ones.

    Args:
        p: P values; NaN (not estimable) stays NaN and is not counted among the tests.
        method: Family-wise error: `holm`, `hochberg` (independent tests), `bonferroni`; `bh` is the false
            discovery rate of Benjamini and Hochberg.

    Raises:
        ValueError: A value is not between 0 and 1, or the method is unknown.

    Source:
        Holm 1979, Hochberg 1988, Benjamini and Hochberg 1995; R, `p.adjust`.
    """
    given = np.asarray(p, dtype=np.float64)
    known = ~np.isnan(given)
    values = given[known]
    if ((values < 0) | (values > 1)).any():
        raise ValueError("a P value lies between 0 and 1")
    order = np.argsort(values, kind="stable")
    n = values.size
    remaining = n - np.arange(n)
    ascending = values[order]
    if method == "bonferroni":
        raised = n * ascending
    elif method == "holm":
        raised = np.maximum.accumulate(remaining * ascending)
    elif method == "hochberg":
        raised = np.minimum.accumulate((remaining * ascending)[::-1])[::-1]
    elif method == "bh":
        raised = np.minimum.accumulate((n / np.arange(1, n + 1) * ascending)[::-1])[::-1]
    else:
        raise ValueError(f"unknown method of adjustment: {method}")
    result = np.full(given.shape, np.nan)
    placed = np.empty(n)
    placed[order] = np.minimum(raised, 1.0)
    result[known] = placed
    return result
