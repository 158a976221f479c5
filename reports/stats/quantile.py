"""Where a survival curve, or one of its confidence limits, crosses a level."""

from __future__ import annotations

import numpy as np

from reports.stats.times import TOLERANCE, Floats


def crossing(times: Floats, curve: Floats, share: float) -> float | None:
    """The time at which a falling step curve reaches `1 - share`; None where it never does.

    Where the curve is flat exactly at the level, the answer is the middle of the flat stretch; if it
    stays there to the end, the middle between its start and the last time. The level is looked up among
    the sorted distinct values of the curve, so that a limit that rises again (late drop, few at risk)
    gives what R gives.

    Args:
        times: Ascending observed times.
        curve: Survival or a confidence limit at those times; NaN where it is not defined.
        share: Share of patients with the event, between 0 and 1.

    Source:
        R, survival 3.5, `quantile.survfit` (its documentation: midpoint rule).
    """
    known = ~np.isnan(curve)
    failed = np.concatenate([[0.0], 1 - curve[known]])
    at = np.concatenate([[0.0], times[known]])
    distinct, first = np.unique(failed, return_index=True)
    at = at[first]
    # Values that differ by floating-point noise are one level of the curve.
    keep = np.concatenate([[True], np.diff(distinct) > TOLERANCE])
    distinct, at = distinct[keep], at[keep]
    index = int(np.searchsorted(distinct, share - TOLERANCE))
    if index == distinct.size:
        return None
    if abs(distinct[index] - share) > TOLERANCE:
        return float(at[index])
    following = at[index + 1] if index + 1 < at.size else times[known].max()
    return float((at[index] + following) / 2)
