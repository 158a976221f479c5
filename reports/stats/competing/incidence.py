"""Cumulative incidence of each cause when another cause can come first, as R's `cmprsk::cuminc` gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from reports.stats.checks import confidence, numbers
from reports.stats.competing.at_risk import (
    Counts,
    by_group,
    causes_of,
    checked,
    count,
)
from reports.stats.times import Floats

SCHEMA = {
    "group": pl.String,
    "cause": pl.Int64,
    "time": pl.Float64,
    "n_risk": pl.Int64,
    "incidence": pl.Float64,
    "variance": pl.Float64,
    "std_err": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "lower_plain": pl.Float64,
    "upper_plain": pl.Float64,
}


@dataclass(frozen=True)
class Incidence:
    """The step function of one cause in one group: a value per time at which the cause happened.

    `observed` are the sorted times of all persons of the group; after the last of them nothing is known.
    """

    group: str
    cause: int
    time: Floats
    incidence: Floats
    variance: Floats
    observed: Floats

    @property
    def n(self) -> int:
        """Persons in the group."""
        return int(self.observed.size)

    @property
    def last_time(self) -> float:
        """The last observed time of the group, in the unit of the times."""
        return float(self.observed[-1])


def cumulative_incidence(
    time: ArrayLike, event: ArrayLike, group: ArrayLike | None = None, *, censor: int = 0
) -> tuple[Incidence, ...]:
    """Cumulative incidence of each cause in each group, with its variance, at each of its jumps.

    Nothing is jittered: persons with equal times leave together, events before censorings. Times that
    differ by floating-point noise count as different; `merge_close_times` comes first where they may.

    Args:
        time: Not negative, any unit.
        event: Code per person.
        group: Label per person; None puts all in one group, `all`.
        censor: The code of censored persons.

    Returns:
        A curve per cause and group, causes first, both ascending. A cause that happens in another group
        only is a curve without jumps: incidence 0.

    Source:
        Aalen and Johansen 1978; Gray 1988 for the variance; R, cmprsk, `cuminc`.
    """
    times, codes, labels = checked(time, event, group)
    causes = causes_of(codes, censor)
    curves = []
    for name, members in by_group(labels):
        counts = count(times[members], codes[members], causes)
        observed = np.sort(times[members])
        value, variance = _curves(counts)
        for k, cause in enumerate(causes):
            jumps = counts.n_event[k] > 0
            at = counts.time[jumps]
            curves.append(Incidence(name, cause, at, value[k][jumps], variance[k][jumps], observed))
    return tuple(sorted(curves, key=lambda curve: curve.cause))


def _curves(counts: Counts) -> tuple[Floats, Floats]:
    """Incidence and variance of each cause (rows) at each time."""
    before, own = counts.survival_before, counts.n_event
    value: Floats = np.cumsum(before * own / counts.n_risk, axis=-1)
    return value, _variance(before, counts.n_risk, own, counts.n_any - own, value)


def _variance(before: Floats, risk: Floats, own: Floats, other: Floats, value: Floats) -> Floats:
    """Variance of the incidence at each time, by the delta method.

    An event at s changes the incidence at t by (1 + F(s) / S(s)) - F(t) / S(s) times its share if it is of
    the cause, by (F(s) - F(t)) / S(s) if it is of another; the variance adds the squares, times S(s-)^2 d
    / n^2 and, for d events at one time, the factor 1 - (d - 1) / (n - 1) of drawing without replacement.
    The square in F(t) is expanded, so that three cumulative sums give all t at once.
    """
    after = before * (risk - own - other) / risk
    inverse = np.divide(1.0, after, out=np.zeros_like(after), where=after > 0)
    own_share = _share(before, risk, own)
    # Where the last of a group leave together, another cause changes nothing that is still to come.
    other_share = np.where(after > 0, _share(before, risk, other), 0.0)
    level = value * inverse
    constant = (1 + level) ** 2 * own_share + level**2 * other_share
    linear = inverse * ((1 + level) * own_share + level * other_share)
    square = inverse**2 * (own_share + other_share)
    variance: Floats = (
        np.cumsum(constant, axis=-1)
        - 2 * value * np.cumsum(linear, axis=-1)
        + value**2 * np.cumsum(square, axis=-1)
    )
    return np.maximum(variance, 0.0)


def _share(before: Floats, risk: Floats, died: Floats) -> Floats:
    together = np.divide(died - 1, risk - 1, out=np.zeros_like(died), where=died > 1)
    share: Floats = (1 - together) * before**2 * died / risk**2
    return share


def incidence_at(
    curves: Sequence[Incidence], times: Floats, *, level: float = 0.95
) -> pl.DataFrame:
    """The curves at given times, one row per curve and time, with two-sided confidence limits.

    `lower` and `upper` are by log(-log): F ** exp(-+ z se / (F log F)); null at 0 and 1. `lower_plain` and
    `upper_plain` are F -+ z se inside [0, 1]. Everything is null after the last time of the group.

    Source:
        R, cmprsk, `timepoints`; Choudhury 2002 for log(-log).
    """
    confidence(level)
    grid = numbers(times, "times")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    frames = [_at(curve, grid, z) for curve in curves]
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)


def _at(curve: Incidence, grid: Floats, z: float) -> pl.DataFrame:
    index = np.searchsorted(curve.time, grid, side="right")
    known = grid <= curve.last_time
    value = np.where(known, np.concatenate([[0.0], curve.incidence])[index], np.nan)
    variance = np.where(known, np.concatenate([[0.0], curve.variance])[index], np.nan)
    error = np.sqrt(variance)
    inside = (value > 0) & (value < 1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        width = z * error / (value * np.log(value))
        lower = np.where(inside, value ** np.exp(-width), np.nan)
        upper = np.where(inside, value ** np.exp(width), np.nan)
    at_risk = curve.n - np.searchsorted(curve.observed, grid, side="left")
    columns = {
        "group": [curve.group] * grid.size,
        "cause": [curve.cause] * grid.size,
        "time": grid,
        "n_risk": at_risk,
        "incidence": value,
        "variance": variance,
        "std_err": error,
        "lower": lower,
        "upper": upper,
        "lower_plain": np.maximum(value - z * error, 0.0),
        "upper_plain": np.minimum(value + z * error, 1.0),
    }
    return pl.DataFrame(columns, schema=SCHEMA).with_columns(pl.col(pl.Float64).fill_nan(None))
