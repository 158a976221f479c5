"""Who is at risk at each event time, and sums over them by cumulative sums over sorted rows.

Nothing here walks over rows: a sum over a risk set is a difference of two reverse cumulative sums, and
the hazard that a row has passed is a difference of two cumulative sums over the event times.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reports.stats.times import Bools, Floats, Ints

Ties = Literal["efron", "breslow"]
# With entry times or strata, a risk set is a difference of sums: where its own risk is a tiny part of them,
# the difference is rounding. Up to this many cells (points x rows) its rows are added up themselves.
DENSE = 2_000_000


@dataclass(frozen=True)
class RiskSets:
    """Rows sorted by stratum and time, and the event times ("points") of each stratum.

    `order` sorts the caller's rows; every other array is in that order. A tie of d events at one point is
    d steps; step l leaves out the share l / d of the events' own risk (Efron), or nothing (Breslow).
    """

    order: Ints
    time: Floats
    entry: Floats | None
    event: Bools
    weight: Floats
    stratum: Ints
    ties: Ties
    first_row: Ints  # of each point: the first row whose time is not before it
    end_row: Ints  # of each point: the end of its stratum
    entry_order: Ints | None  # rows by stratum and entry
    entry_row: (
        Ints | None
    )  # of each point: the first row in `entry_order` that enters at it or later
    passed: Ints  # of each row: number of points up to its time
    before: Ints  # of each row: number of points up to its entry (or of the strata before)
    events: Ints  # rows with an event, in order
    point: Ints  # of each event: its point
    points_first: Ints  # of each point: its first event
    member: Floats | None = (
        None  # point x row: 1 where the row is at risk; None where sums are differences
    )

    @cached_property
    def tied(self) -> Ints:
        """Events at each point."""
        return np.diff(np.append(self.points_first, self.events.size))

    @cached_property
    def share(self) -> Floats:
        """Of each event: the share of the tied events' risk that its step leaves out."""
        if self.ties == "breslow":
            return np.zeros(self.events.size)
        step = np.arange(self.events.size) - self.points_first[self.point]
        share: Floats = step / self.tied[self.point]
        return share

    @cached_property
    def step_weight(self) -> Floats:
        """Of each event: the mean weight of the events tied with it."""
        if not self.events.size:
            return np.zeros(0)
        mean = np.add.reduceat(self.weight[self.events], self.points_first) / self.tied
        return np.asarray(mean[self.point], dtype=np.float64)

    def at_risk(self, values: Floats) -> Floats:
        """Sums of the rows' values over the risk set of each point (values: n or n x k)."""
        if self.member is not None:
            return self.member @ values
        later = _reverse_sums(values)
        total = later[self.first_row] - later[self.end_row]
        if self.entry_order is not None:
            late = _reverse_sums(values[self.entry_order])
            total = total - (late[self.entry_row] - late[self.end_row])
        return total

    def of_points(self, values: Floats) -> Floats:
        """Sums of the events' values over the ties at each point (values: per event)."""
        if not self.events.size:
            return values[:0]
        return np.add.reduceat(values, self.points_first, axis=0)

    def over_time(self, at_points: Floats) -> Floats:
        """Of each row: the sum of the points' values over the points at which it was at risk."""
        if self.member is not None:
            return self.member.T @ at_points
        sums = np.concatenate([np.zeros((1, *at_points.shape[1:])), np.cumsum(at_points, axis=0)])
        passed: Floats = sums[self.passed] - sums[self.before]
        return passed


def risk_sets(
    time: Floats,
    event: Bools,
    *,
    entry: Floats | None = None,
    stratum: NDArray[Any] | None = None,
    weight: Floats | None = None,
    ties: Ties = "efron",
) -> RiskSets:
    """Sort the rows and find each event time's risk set: entry < t <= time, within the stratum.

    Args:
        time: End of each row's interval; near-equal times merged before.
        event: True where the row ends with the event.
        entry: Start of the interval; None is from the beginning.
        stratum: Stratum of each row; None is one stratum.
        weight: Case weights, not negative; None is 1.
        ties: How tied events share the risk set.
    """
    n = time.size
    strata = np.zeros(n, int) if stratum is None else np.unique(stratum, return_inverse=True)[1]
    order = np.lexsort((~event, time, strata)).astype(np.int64)
    strata, time, event = strata[order], time[order], event[order]
    moments = np.unique(time if entry is None else np.concatenate([time, entry]))
    width = moments.size + 1
    ends = strata * width + np.searchsorted(moments, time)
    events = np.flatnonzero(event)
    points, points_first, point = np.unique(ends[events], return_index=True, return_inverse=True)
    of_stratum = points // width
    entry_order: Ints | None = None
    entry_row: Ints | None = None
    before = np.searchsorted(points, strata * width)
    if entry is not None:
        starts = strata * width + np.searchsorted(moments, entry[order])
        entry_order = np.argsort(starts, kind="stable")
        entry_row = _places(starts[entry_order], points)
        before = np.searchsorted(points, starts, side="right")
    first_row, end_row = _places(ends, points), np.searchsorted(strata, of_stratum, side="right")
    member = None
    several = entry is not None or (n > 0 and strata[-1] > 0)
    if several and points.size * n <= DENSE:
        row = np.arange(n)
        at_risk = (row >= first_row[:, None]) & (row < end_row[:, None])
        if entry is not None:
            at_risk &= starts < points[:, None]
        member = at_risk.astype(np.float64)
    return RiskSets(
        order=order,
        time=time,
        entry=None if entry is None else entry[order],
        event=event,
        weight=np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)[order],
        stratum=strata,
        ties=ties,
        first_row=first_row,
        end_row=end_row,
        entry_order=entry_order,
        entry_row=entry_row,
        passed=np.searchsorted(points, ends, side="right"),
        before=before,
        events=events,
        point=point,
        points_first=points_first,
        member=member,
    )


def _places(ordered: Ints, values: Ints) -> Ints:
    return np.asarray(np.searchsorted(ordered, values), dtype=np.int64)


def _reverse_sums(values: Floats) -> Floats:
    """Sum of each row and all that follow, and a last 0."""
    sums = np.zeros((values.shape[0] + 1, *values.shape[1:]))
    np.cumsum(values[::-1], axis=0, out=sums[-2::-1])
    return sums
