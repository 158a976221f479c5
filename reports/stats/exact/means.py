"""Means and quantiles of a sample, and Welch's test of two means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reports.stats.exact.samples import samples


@dataclass(frozen=True)
class Description:
    """Numbers of a sample; NaN where it has too few values."""

    n: int
    missing: int
    mean: float
    sd: float
    minimum: float
    q25: float
    median: float
    q75: float
    maximum: float


@dataclass(frozen=True)
class Welch:
    """t (first minus second group), its degrees of freedom and two-sided P."""

    statistic: float
    df: float
    p: float


def describe(values: ArrayLike) -> Description:
    """Mean, standard deviation, range and quartiles (type 7) of the values; NaN is counted as missing.

    Source:
        R, `mean`, `sd`, `quantile(type = 7)` (Hyndman and Fan 1996).
    """
    given = np.asarray(values, dtype=np.float64)
    known = given[~np.isnan(given)]
    missing = int(given.size - known.size)
    if known.size == 0:
        return Description(0, missing, *[math.nan] * 7)
    quartiles = np.quantile(known, [0.0, 0.25, 0.5, 0.75, 1.0])
    deviation = float(known.std(ddof=1)) if known.size > 1 else math.nan
    low, q25, median, q75, high = (float(q) for q in quartiles)
    return Description(
        int(known.size), missing, float(known.mean()), deviation, low, q25, median, q75, high
    )


def welch(x: ArrayLike, group: ArrayLike, *, levels: Sequence[str] | None = None) -> Welch | None:
    """Welch's t test: equal means, variances may differ.

    Args:
        x: A number per person; NaN is left out.
        group: A label per person.
        levels: The two groups in their order; None takes the labels, ascending.

    Returns:
        None unless exactly two groups have two values or more that are not all equal within both groups.

    Source:
        Welch 1947; R, `t.test`.
    """
    from scipy.stats import t

    found = samples(x, group, levels)
    if len(found) != 2 or min(sample.size for sample in found) < 2:
        return None
    first, second = found
    parts = [float(sample.var(ddof=1)) / sample.size for sample in found]
    variance = sum(parts)
    if variance == 0:
        return None
    spread = sum(part**2 / (sample.size - 1) for part, sample in zip(parts, found, strict=True))
    statistic = float(first.mean() - second.mean()) / math.sqrt(variance)
    df = variance**2 / spread
    return Welch(statistic, df, float(2 * t.sf(abs(statistic), df)))
