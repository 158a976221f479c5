"""Whether two Kaplan-Meier curves cross, where, and how far either is ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.stats.kaplan_meier import KaplanMeier

VISIBLE = 0.01  # a lead that counts: a percentage point; smaller ones are noise of large samples
EQUAL = 1e-12  # survival: what rounding leaves between curves that are equal


@dataclass(frozen=True)
class Crossing:
    """Where curves change places, over the time in which both are observed.

    Attributes:
        times: First times at which the other curve is ahead, in the unit of the curves.
        first_ahead: Largest lead of the first curve, as a share; 0 if it never leads.
        second_ahead: The same of the second.
    """

    times: tuple[float, ...]
    first_ahead: float
    second_ahead: float

    @property
    def matters(self) -> bool:
        """Whether the curves cross and each leads by a percentage point somewhere."""
        return bool(self.times) and min(self.first_ahead, self.second_ahead) >= VISIBLE


def crossing(first: KaplanMeier, second: KaplanMeier) -> Crossing:
    """Compares two curves up to the smaller of their last times.

    Curves that touch without changing places do not cross. Every change of places is found, however small; the
    leads say how much it is.
    """
    end = min(first.time[-1], second.time[-1])
    times = np.union1d(first.time, second.time)
    times = times[times <= end]
    apart = _survival(first, times) - _survival(second, times)
    apart[np.abs(apart) <= EQUAL] = 0.0
    leads = np.flatnonzero(apart)
    if not leads.size:
        return Crossing((), 0.0, 0.0)
    changed = leads[1:][np.diff(np.sign(apart[leads])) != 0]
    return Crossing(
        tuple(float(time) for time in times[changed]),
        float(max(apart.max(), 0.0)), float(max(-apart.min(), 0.0)),
    )  # fmt: skip


def _survival(curve: KaplanMeier, times: np.ndarray) -> np.ndarray:
    place = np.searchsorted(curve.time, times, side="right")
    return np.concatenate([[1.0], curve.survival])[place]
