"""The few statistics that steer the search for a cohort; the tests check them against scipy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """Middle value, or the mean of the two middle values."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def kruskal_p(groups: Sequence[Sequence[float]]) -> float:
    """P of the Kruskal-Wallis test with correction for ties, for exactly four groups."""
    pooled = sorted(value for group in groups for value in group)
    counts = Counter(pooled)
    n, below, rank = len(pooled), 0, {}
    for value in sorted(counts):
        rank[value] = below + (counts[value] + 1) / 2
        below += counts[value]
    squares = sum(sum(rank[v] for v in group) ** 2 / len(group) for group in groups)
    ties = 1 - sum(c**3 - c for c in counts.values()) / (n**3 - n)
    return chi2_tail_3((12 / (n * (n + 1)) * squares - 3 * (n + 1)) / ties)


def chi2_tail_3(x: float) -> float:
    """Upper tail of the chi-squared distribution with three degrees of freedom."""
    if x <= 0:
        return 1.0
    return math.erfc(math.sqrt(x / 2)) + math.sqrt(2 * x / math.pi) * math.exp(-x / 2)


def km_median(times: Sequence[int], events: Sequence[bool]) -> float | None:
    """First time at which the Kaplan-Meier estimate is below one half; None if never."""
    survival, at_risk = 1.0, len(times)
    deaths = Counter(t for t, e in zip(times, events, strict=True) if e)
    for time, total in sorted(Counter(times).items()):
        survival *= 1 - deaths[time] / at_risk
        if survival < 0.5:
            return time
        at_risk -= total
    return None


def logrank_chi2(times: Sequence[int], events: Sequence[bool], member: Sequence[bool]) -> float:
    """Statistic of the log-rank test of two groups (one degree of freedom)."""
    observed = expected = variance = 0.0
    for time in sorted({t for t, e in zip(times, events, strict=True) if e}):
        n = sum(t >= time for t in times)
        n1 = sum(t >= time for t, m in zip(times, member, strict=True) if m)
        d = sum(t == time and e for t, e in zip(times, events, strict=True))
        rows = zip(times, events, member, strict=True)
        observed += sum(t == time and e and m for t, e, m in rows)
        expected += d * n1 / n
        if n > 1:
            variance += d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1)
    return (observed - expected) ** 2 / variance if variance else 0.0
