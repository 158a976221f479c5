"""The chance of not yet being censored, and the weights of those who had a competing event before."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reports.stats.competing.at_risk import Codes, count
from reports.stats.times import Bools, Floats

TieRule = Literal["all at risk", "events first"]


def uncensored_before(time: Floats, event: Codes, censor: int, at: Floats, rule: TieRule) -> Floats:
    """Kaplan-Meier estimate of being uncensored just before each of the given times.

    Args:
        time: Times of the persons of one censoring group.
        event: Their codes.
        censor: The code of censored persons.
        at: Any times.
        rule: Who is at risk of censoring at a time: `all at risk` counts everyone whose time is at least
            this one, and reads time 0 as after its censorings (as `cmprsk::crr` does); `events first` takes
            off those with an event at that time (as `survival::finegray` does).

    Returns:
        The estimate; 0 after the last time of the group.
    """
    causes = tuple(int(code) for code in np.unique(event) if code != censor)
    counts = count(time, event, causes)
    base = counts.n_risk if rule == "all at risk" else counts.n_risk - counts.n_any
    steps = np.divide(counts.n_censor, base, out=np.zeros_like(base), where=base > 0)
    after = np.concatenate([[1.0], np.cumprod(1 - steps)])
    index = np.searchsorted(counts.time, at, side="left")
    if rule == "all at risk":
        index = np.where((at == 0) & (counts.time[0] == 0), 1, index)
    value: Floats = np.where(at > counts.time[-1], 0.0, after[index])
    return value


def each_own(
    time: Floats, event: Codes, group: NDArray[np.intp], censor: int, rule: TieRule
) -> Floats:
    """The same at each person's own time, by the estimate of the person's censoring group."""
    own = np.empty_like(time)
    for g in np.unique(group):
        members: Bools = group == g
        own[members] = uncensored_before(time[members], event[members], censor, time[members], rule)
    return own
