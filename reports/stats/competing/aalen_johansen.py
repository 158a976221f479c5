"""Cumulative incidence with the standard error that R's `survfit` prints for several states."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from reports.stats.checks import confidence, numbers, option
from reports.stats.competing.at_risk import (
    Counts,
    by_group,
    causes_of,
    checked,
    count,
)
from reports.stats.times import Floats, merge_close_times

ConfidenceType = Literal["log", "log-log", "plain"]
# A sum of shares that is 1 may be off by this.
ROUNDING = 1e-12
SCHEMA = {
    "group": pl.String,
    "cause": pl.Int64,
    "time": pl.Float64,
    "n_risk": pl.Int64,
    "incidence": pl.Float64,
    "std_err": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
}


@dataclass(frozen=True)
class StateCurve:
    """The share of a group that the cause has taken, at each distinct observed time of the group.

    `n_risk` are the persons whose time is at least this one.
    """

    group: str
    cause: int
    time: Floats
    n_risk: Floats
    incidence: Floats
    std_err: Floats


def aalen_johansen(
    time: ArrayLike, event: ArrayLike, group: ArrayLike | None = None, *, censor: int = 0
) -> tuple[StateCurve, ...]:
    """Aalen-Johansen estimate per cause and group; its standard error is the infinitesimal jackknife.

    The estimate is the one of `cumulative_incidence`; the standard error is another one (smaller by the
    tie correction and by n / (n - 1) at the first event): name which one is printed.

    Args:
        time: Not negative, any unit; times that differ by noise are made equal first, over all groups.
        event: Code per person.
        group: Label per person; None puts all in one group, `all`.
        censor: The code of censored persons.

    Source:
        R, survival 3.5, `survfit` of a multi-state `Surv`; Therneau, Crowson and Atkinson, its vignette
        on the infinitesimal jackknife.
    """
    times, codes, labels = checked(time, event, group)
    times = merge_close_times(times)
    causes = causes_of(codes, censor)
    curves = []
    for name, members in by_group(labels):
        counts = count(times[members], codes[members], causes)
        for index, cause in enumerate(causes):
            value, error = _curve(counts, index)
            curves.append(StateCurve(name, cause, counts.time, counts.n_risk, value, error))
    return tuple(sorted(curves, key=lambda curve: curve.cause))


def _curve(counts: Counts, index: int) -> tuple[Floats, Floats]:
    """Incidence of one cause and its standard error at each time.

    The influence of a person on F(t) is A - c F(t) from the time of leaving on, with A and c fixed then, and
    the same for all who are still at risk. The variance adds the squares: cumulative sums over those who left
    give all times at once.
    """
    before, risk, total = counts.survival_before, counts.n_risk, counts.n_any
    own = counts.n_event[index]
    left = risk - total
    value = np.cumsum(before * own / risk)
    gone = np.divide(1.0, left, out=np.zeros_like(left), where=left > 0)
    hazard = total / risk
    staying = np.cumsum(-hazard * gone)
    staying_before = np.concatenate([[0.0], staying[:-1]])
    at_risk = np.cumsum(-before * own / risk * (1 / risk + staying_before))

    other = total - own
    failed = staying_before + (1 - hazard) * gone
    kinds = (
        (own, failed, at_risk + before / risk),
        (other, failed, at_risk),
        (counts.n_censor, staying, at_risk),
    )
    squares, cross, slopes = np.zeros_like(risk), np.zeros_like(risk), np.zeros_like(risk)
    for number, slope, influence in kinds:
        fixed = influence + slope * value
        squares += number * fixed**2
        cross += number * fixed * slope
        slopes += number * slope**2
    squares, cross, slopes = np.cumsum(squares), np.cumsum(cross), np.cumsum(slopes)
    remaining = risk - total - counts.n_censor
    variance = squares - 2 * value * cross + value**2 * slopes + remaining * at_risk**2
    # What is left of the subtraction when the true variance is 0 is rounding, not a standard error.
    noise = 16 * np.finfo(np.float64).eps * (squares + value**2 * slopes)
    return value, np.sqrt(np.where(variance > noise, variance, 0.0))


def states_at(
    curves: tuple[StateCurve, ...],
    times: Floats,
    *,
    conf_type: ConfidenceType = "log",
    level: float = 0.95,
) -> pl.DataFrame:
    """The curves at given times, one row per curve and time; the last value is carried on.

    Limits are null where R prints NA: at incidence 0 once the group is observed (`plain` gives 0 there), and
    for `log-log` also at incidence 1.

    Source:
        R, survival, `summary.survfit` and `survfit.object` (conf.type).
    """
    option(conf_type, get_args(ConfidenceType), "conf_type")
    confidence(level)
    grid = numbers(times, "times")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    frames = [_at(curve, grid, conf_type, z) for curve in curves]
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)


def _at(curve: StateCurve, grid: Floats, conf_type: ConfidenceType, z: float) -> pl.DataFrame:
    index = np.searchsorted(curve.time, grid, side="right")
    value = np.concatenate([[0.0], curve.incidence])[index]
    error = np.concatenate([[0.0], curve.std_err])[index]
    following = np.searchsorted(curve.time, grid, side="left")
    lower, upper = _limits(value, error, conf_type, z)
    unseen = index == 0
    columns = {
        "group": [curve.group] * grid.size,
        "cause": [curve.cause] * grid.size,
        "time": grid,
        "n_risk": np.concatenate([curve.n_risk, [0.0]])[following].astype(np.int64),
        "incidence": value,
        "std_err": error,
        "lower": np.where(unseen, 0.0, lower),
        "upper": np.where(unseen, 0.0, upper),
    }
    return pl.DataFrame(columns, schema=SCHEMA).with_columns(pl.col(pl.Float64).fill_nan(None))


def _limits(
    value: Floats, error: Floats, conf_type: ConfidenceType, z: float
) -> tuple[Floats, Floats]:
    if conf_type == "plain":
        return np.maximum(value - z * error, 0.0), np.minimum(value + z * error, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        width = z * np.where(value > 0, error / value, np.nan)
        if conf_type == "log":
            return value * np.exp(-width), np.minimum(value * np.exp(width), 1.0)
        inside = np.where(value < 1 - ROUNDING, value, np.nan)
        middle, half = np.log(-np.log(inside)), width / np.log(inside)
        return np.exp(-np.exp(middle - half)), np.exp(-np.exp(middle + half))
