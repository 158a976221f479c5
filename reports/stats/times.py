"""Times that differ only by floating-point noise, made equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

BACKWARDS = "not before the time at which the interval must end"
TOLERANCE = float(np.sqrt(np.finfo(float).eps))


def merge_close_times(times: Floats) -> Floats:
    """The same times, where those closer than about 1.5e-8 to their neighbor share one value.

    Do it once for a whole analysis set, before it is split into groups: without it a log-rank test
    takes equal times for different ones.

    Args:
        times: Any unit; same order and length come back.

    Source:
        R, survival, `timefix`: absolute difference or difference relative to the mean of |time| at
        most the square root of the machine epsilon.

    Raises:
        ValueError: A time is missing or infinite.
    """
    from reports.stats.checks import numbers

    return _merge(numbers(times, "times"))


def merge_close_intervals(entry: Floats, times: Floats) -> tuple[Floats, Floats]:
    """As `merge_close_times`, over the starts and the ends of the intervals at once.

    Raises:
        ValueError: An interval ends at its start, or before it, or a time is missing or infinite.
    """
    from reports.stats.checks import numbers, refuse

    entry, times = numbers(entry, "entry"), numbers(times, "times")
    refuse(times <= entry, "entry", BACKWARDS)
    merged = _merge(np.concatenate([entry, times]))
    start, end = merged[: entry.size], merged[entry.size :]
    refuse(end <= start, "entry", BACKWARDS)
    return start, end


def _merge(times: Floats) -> Floats:
    distinct, position = np.unique(times, return_inverse=True)
    if distinct.size < 2:
        return times
    gaps = np.diff(distinct)
    scale = float(np.mean(np.abs(distinct))) or 1.0
    starts_new = np.concatenate([[True], (gaps > TOLERANCE) & (gaps / scale > TOLERANCE)])
    first_of_cluster = distinct[starts_new]
    merged: Floats = first_of_cluster[np.cumsum(starts_new) - 1][position]
    return merged
