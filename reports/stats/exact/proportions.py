"""Confidence intervals of a share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Proportion:
    """A share with its confidence interval."""

    value: float
    lower: float
    upper: float


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Proportion:
    """The share `successes / n` with its exact binomial interval; NaN where nobody is counted.

    Raises:
        ValueError: More successes than persons, or fewer than none.

    Source:
        Clopper and Pearson 1934; R, `binom.test`.
    """
    from scipy.stats import beta

    if _none(successes, n):
        return Proportion(math.nan, math.nan, math.nan)
    tail = (1 - level) / 2
    lower = 0.0 if successes == 0 else float(beta.ppf(tail, successes, n - successes + 1))
    upper = 1.0 if successes == n else float(beta.isf(tail, successes + 1, n - successes))
    return Proportion(successes / n, lower, upper)


def wilson(successes: int, n: int, level: float = 0.95) -> Proportion:
    """The share `successes / n` with Wilson's score interval; NaN where nobody is counted.

    Raises:
        ValueError: More successes than persons, or fewer than none.

    Source:
        Wilson 1927; R, `prop.test(correct = FALSE)`.
    """
    if _none(successes, n):
        return Proportion(math.nan, math.nan, math.nan)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, size = successes / n, z**2 / n
    middle = share + size / 2
    width = z * math.sqrt(share * (1 - share) / n + size / (4 * n))
    lower = 0.0 if successes == 0 else (middle - width) / (1 + size)
    upper = 1.0 if successes == n else (middle + width) / (1 + size)
    return Proportion(share, lower, upper)


def _none(successes: int, n: int) -> bool:
    if not 0 <= successes <= n:
        raise ValueError("a share needs between 0 and n successes")
    return n == 0
