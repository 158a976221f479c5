"""Who is at risk and what happens at each distinct time: the counts that every estimate starts from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.stats.checks import durations, groups, numbers, refuse, same_size
from reports.stats.times import Bools, Floats

Codes = NDArray[np.int64]
Labels = NDArray[np.str_]

ALL = "all"


@dataclass(frozen=True)
class Counts:
    """Persons at each distinct observed time of one group, ascending.

    `n_risk` are those whose time is at least this one; `n_event` has a row per cause.
    """

    time: Floats
    n_risk: Floats
    n_censor: Floats
    n_event: Floats
    causes: tuple[int, ...]

    @property
    def n_any(self) -> Floats:
        """Events of any cause at each time."""
        total: Floats = self.n_event.sum(axis=0)
        return total

    @property
    def survival_before(self) -> Floats:
        """Kaplan-Meier estimate of being free of any event just before each time."""
        steps = (self.n_risk - self.n_any) / self.n_risk
        before: Floats = np.concatenate([[1.0], np.cumprod(steps)[:-1]])
        return before


def checked(
    time: ArrayLike, event: ArrayLike, group: ArrayLike | None = None
) -> tuple[Floats, Codes, Labels]:
    """The same data as arrays of one length; without groups all persons are in the group `all`.

    Raises:
        ValueError: Lengths differ, a time is missing, infinite or negative, a code is not whole or missing, or a group
            is missing.
    """
    times, codes = durations(time), numbers(event, "event codes")
    refuse(np.mod(codes, 1) != 0, "event codes", "no whole number")
    labels = np.full(times.size, ALL)
    if group is not None:
        names, position = groups(group)
        labels = np.array(names, dtype=np.str_)[position]
    same_size(times=times, events=codes, groups=labels)
    return times, codes.astype(np.int64), labels


def causes_of(event: Codes, censor: int) -> tuple[int, ...]:
    """The codes that mean an event, ascending."""
    return tuple(int(code) for code in np.unique(event) if code != censor)


def count(time: Floats, event: Codes, causes: tuple[int, ...]) -> Counts:
    """Counts of one group; every code that is not among the causes is censored."""
    distinct, position = np.unique(time, return_inverse=True)
    return count_on(distinct, position, event, causes)


def count_on(
    distinct: Floats, position: NDArray[np.intp], event: Codes, causes: tuple[int, ...]
) -> Counts:
    """Counts on a given grid of times; `position` is each person's place on it."""
    size = distinct.size
    leaving = np.bincount(position, minlength=size).astype(np.float64)
    n_event = np.array(
        [np.bincount(position[event == cause], minlength=size) for cause in causes],
        dtype=np.float64,
    ).reshape(len(causes), size)
    return Counts(
        time=distinct,
        n_risk=np.cumsum(leaving[::-1])[::-1],
        n_censor=leaving - n_event.sum(axis=0),
        n_event=n_event,
        causes=causes,
    )


def by_group(group: Labels) -> Iterator[tuple[str, Bools]]:
    """Each group with the mask of its members, in the order of the labels."""
    for name in np.unique(group):
        yield str(name), group == name
