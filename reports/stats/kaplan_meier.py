"""Kaplan-Meier curves as R's `survfit` gives them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from reports.stats.checks import confidence, durations, flags, numbers, option, refuse, same_size
from reports.stats.quantile import crossing
from reports.stats.times import Floats

ConfidenceType = Literal["log", "log-log", "plain"]


@dataclass(frozen=True)
class Quantile:
    """A time by which a share of the patients had the event; None where it is not reached."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class At:
    """The curve at one time."""

    time: float
    n_risk: int
    n_events: int
    survival: float
    std_err: float
    lower: float
    upper: float
    beyond_last_time: bool


@dataclass(frozen=True)
class KaplanMeier:
    """One curve: a value per distinct observed time, in order.

    `lower` and `upper` are NaN where R prints NA: at survival 0, and for `log-log` also at survival 1.
    """

    time: Floats
    n_risk: Floats
    n_event: Floats
    n_censor: Floats
    survival: Floats
    conf_type: ConfidenceType
    level: float

    @property
    def n(self) -> int:
        """Patients, or with entry times rows."""
        return int(self.n_event.sum() + self.n_censor.sum())

    @property
    def n_start(self) -> int:
        """At risk at the first observed time: all patients unless some enter later."""
        return int(self.n_risk[0])

    @property
    def events(self) -> int:
        """Events."""
        return int(self.n_event.sum())

    @cached_property
    def std_err_log(self) -> Floats:
        """Standard error of log S: Greenwood, sqrt(sum d / (n (n - d))); infinite at S = 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = self.n_event / (self.n_risk * (self.n_risk - self.n_event))
        error: Floats = np.sqrt(np.cumsum(np.where(self.n_event > 0, terms, 0.0)))
        return error

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Lower and upper confidence limit at each time.

        Source:
            R, survival, `survfit.object`, conf.type. `log`: S exp(-+ z se), at most 1. `log-log`:
            exp(-exp(log(-log S) +- z se / log S)). `plain`: S -+ z S se, inside [0, 1].
        """
        z = NormalDist().inv_cdf(0.5 + self.level / 2)
        s, se = self.survival, self.std_err_log
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.conf_type == "log":
                lower, upper = s * np.exp(-z * se), s * np.exp(z * se)
            elif self.conf_type == "log-log":
                width = z * se / np.log(s)
                lower = np.exp(-np.exp(np.log(-np.log(s)) - width))
                upper = np.exp(-np.exp(np.log(-np.log(s)) + width))
            else:
                lower, upper = s - z * s * se, s + z * s * se
        undefined = s <= 0
        return (
            np.where(undefined, np.nan, np.maximum(lower, 0.0)),
            np.where(undefined, np.nan, np.minimum(upper, 1.0)),
        )

    def quantile(self, share: float) -> Quantile:
        """The time by which `share` of the patients had the event, with its interval.

        Source:
            Brookmeyer and Crowley 1982: the interval inverts the confidence curve. Flat stretches by
            R's midpoint rule, see `reports.stats.quantile`.

        Raises:
            ValueError: The share is not between 0 and 1.
        """
        if not 0 < share < 1:
            raise ValueError(f"a quantile is a share between 0 and 1, not {share:g}")
        lower, upper = self.limits
        return Quantile(
            crossing(self.time, self.survival, share),
            crossing(self.time, lower, share),
            crossing(self.time, upper, share),
        )

    @property
    def median(self) -> Quantile:
        """Median time with its interval."""
        return self.quantile(0.5)

    def at(self, times: ArrayLike) -> list[At]:
        """The curve at given ascending times; the last value is carried on and marked.

        Number at risk at t: those at risk at the first observed time not before t. Events: since the
        time before.

        Raises:
            ValueError: The times do not ascend.
        """
        grid = numbers(times, "times")
        if (np.diff(grid) < 0).any():
            raise ValueError("the times must ascend")
        lower, upper = self.limits
        index = np.searchsorted(self.time, grid, side="right") - 1
        counted = np.concatenate([[0.0], np.cumsum(self.n_event)])[index + 1]
        before = np.searchsorted(self.time, grid, side="left")
        at_risk = np.concatenate([self.n_risk, [0.0]])[before]
        points = []
        for k, t in enumerate(grid):
            i = int(index[k])
            s = float(self.survival[i]) if i >= 0 else 1.0
            points.append(
                At(
                    time=float(t),
                    n_risk=int(at_risk[k]),
                    n_events=int(counted[k] - (counted[k - 1] if k else 0)),
                    survival=s,
                    std_err=(s * float(self.std_err_log[i]) if s > 0 else float("nan"))
                    if i >= 0
                    else 0.0,
                    lower=float(lower[i]) if i >= 0 else 1.0,
                    upper=float(upper[i]) if i >= 0 else 1.0,
                    beyond_last_time=bool(t > self.time[-1]),
                )
            )
        return points


def kaplan_meier(
    times: ArrayLike,
    events: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    conf_type: ConfidenceType = "log",
    level: float = 0.95,
) -> KaplanMeier:
    """The Kaplan-Meier curve of one group.

    Args:
        times: Not negative; call `merge_close_times` on the whole analysis set first, or pass days.
        events: True where the event was seen, False where the patient was censored.
        entry: Time at which a patient comes under observation (left truncation); at risk after it. If the risk
            set empties, the curve is 0 from there on, as in R.
        conf_type: `log` is R's default.
        level: Confidence level.

    Raises:
        ValueError: No patient; a time is missing, infinite or negative, or not after the entry; an event is coded
            otherwise than 0 and 1 or False and True; or an unknown kind or level of the limits.

    Source:
        Kaplan and Meier 1958; R `survfit(Surv(entry, time, event) ~ 1)`.
    """
    option(conf_type, get_args(ConfidenceType), "conf_type")
    confidence(level)
    end, seen = durations(times), flags(events)
    start = None if entry is None else numbers(entry, "entry")
    same_size(times=end, events=seen, entry=start)
    if end.size == 0:
        raise ValueError("a survival curve needs at least one patient")
    if start is not None:
        refuse(start >= end, "entry", "not before the time at which the patient leaves")
    time, place = np.unique(end, return_inverse=True)
    leaving = np.bincount(place).astype(np.float64)
    n_event = np.bincount(place, weights=seen).astype(np.float64)
    n_risk = np.cumsum(leaving[::-1])[::-1]
    if start is not None:  # who comes in at this time or later is not at risk yet
        n_risk = n_risk - (start.size - np.searchsorted(np.sort(start), time, side="left"))
    return KaplanMeier(
        time=time,
        n_risk=n_risk,
        n_event=n_event,
        n_censor=leaving - n_event,
        survival=np.cumprod(1 - n_event / n_risk, dtype=np.float64),
        conf_type=conf_type,
        level=level,
    )


def reverse_kaplan_meier(
    times: ArrayLike, events: ArrayLike, *, conf_type: ConfidenceType = "log", level: float = 0.95
) -> KaplanMeier:
    """The curve of follow-up: being censored is the event, dying ends the observation.

    Source:
        Schemper and Smith 1996, as in R `survfit(Surv(time, 1 - event) ~ 1)`.
    """
    return kaplan_meier(times, ~flags(events), conf_type=conf_type, level=level)
