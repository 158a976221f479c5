"""The statistics of arrays, on any frame: columns by name, and tables as the answer.

`kaplan_meier(frame, time="months", event="died", by="arm").medians()`. Without `time` they take arrays, as
the functions that they bear the name of. Rows with a missing value in a column used are left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from reports.stats.checks import flags, numbers, refuse
from reports.stats.design import Levels, factor_levels, level_label
from reports.stats.frames import frame_of
from reports.stats.kaplan_meier import ConfidenceType, KaplanMeier
from reports.stats.kaplan_meier import kaplan_meier as curves_of_arrays
from reports.stats.logrank import LogRank
from reports.stats.logrank import log_rank as log_rank_of_arrays
from reports.stats.times import merge_close_intervals, merge_close_times

ALL = "all"


@dataclass(frozen=True)
class Rows:
    """The rows that have a value in every column used; `dropped_by` counts what lacks, by column."""

    frame: pl.DataFrame
    n_dropped: int
    dropped_by: Mapping[str, int]

    @classmethod
    def of(cls, data: Any, columns: Sequence[str | None]) -> Rows:
        """Those of a frame.

        Raises:
            ValueError: A column is not there, or no row is complete.
        """
        names = list(dict.fromkeys(name for name in columns if name is not None))
        known = frame_of(data, names).fill_nan(None)
        complete = known.drop_nulls()
        if not complete.height:
            raise ValueError(f"no row has a value in every column used: {', '.join(names)}")
        lacking = {name: nulls for name in names if (nulls := known[name].null_count())}
        return cls(complete, known.height - complete.height, lacking)

    def labels(self, column: str) -> list[str]:
        """Values as R prints levels."""
        return [level_label(value) for value in self.frame[column].to_list()]


@dataclass(frozen=True)
class Survival:
    """Kaplan-Meier curves of a frame, one per level of `by`, in the order of the levels."""

    by: str
    curves: Mapping[str, KaplanMeier]
    n_dropped: int
    dropped_by: Mapping[str, int]

    def table(self) -> pl.DataFrame:
        """A row per level and observed time: n_risk, n_event, n_censor, survival, std_err, lower, upper.

        `std_err` is that of the survival (Greenwood). Limits are null where R prints NA.
        """
        return pl.concat([self._steps(level, curve) for level, curve in self.curves.items()])

    def _steps(self, level: str, curve: KaplanMeier) -> pl.DataFrame:
        lower, upper = curve.limits
        with np.errstate(invalid="ignore"):  # where the curve is 0 its logarithm has no error
            std_err = curve.survival * curve.std_err_log
        steps = {
            "time": curve.time, "n_risk": curve.n_risk, "n_event": curve.n_event,
            "n_censor": curve.n_censor, "survival": curve.survival,
            "std_err": std_err,
            "lower": lower, "upper": upper,
        }  # fmt: skip
        return pl.DataFrame(steps).fill_nan(None).select(pl.lit(level).alias(self.by), pl.all())

    def medians(self) -> pl.DataFrame:
        """A row per level: n, events, median, lower, upper; null where it is not reached."""
        found = [(level, c.n, c.events, c.median) for level, c in self.curves.items()]
        return pl.DataFrame(
            [(level, n, events, m.value, m.lower, m.upper) for level, n, events, m in found],
            schema={
                self.by: pl.String, "n": pl.Int64, "events": pl.Int64, "median": pl.Float64,
                "lower": pl.Float64, "upper": pl.Float64,
            },
            orient="row",
        )  # fmt: skip

    def at(self, times: ArrayLike) -> pl.DataFrame:
        """A row per level and time: n_risk, survival, lower, upper.

        After the last time of a level all three are null, unless its curve has come to 0.
        """
        rows = [
            (level, at.time, at.n_risk, *((None,) * 3 if at.beyond_last_time and at.survival > 0 else
                                          (at.survival, at.lower, at.upper)))
            for level, curve in self.curves.items()
            for at in curve.at(times)
        ]  # fmt: skip
        shown = ("survival", "lower", "upper")
        schema = {self.by: pl.String, "time": pl.Float64, "n_risk": pl.Int64}
        return pl.DataFrame(
            rows, schema=schema | dict.fromkeys(shown, pl.Float64), orient="row"
        ).fill_nan(None)


@overload
def kaplan_meier(
    data: ArrayLike,
    events: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    conf_type: ConfidenceType = "log",
    level: float = 0.95,
) -> KaplanMeier: ...
@overload
def kaplan_meier(
    data: Any,
    *,
    time: str,
    event: str,
    by: str | None = None,
    entry: str | None = None,
    levels: Levels | None = None,
    conf_type: ConfidenceType = "log",
    level: float = 0.95,
) -> Survival: ...
def kaplan_meier(
    data: Any,
    events: Any = None,
    *,
    time: str | None = None,
    event: str | None = None,
    by: str | None = None,
    entry: Any = None,
    levels: Levels | None = None,
    conf_type: ConfidenceType = "log",
    level: float = 0.95,
) -> KaplanMeier | Survival:
    """Kaplan-Meier curves of a frame, or the curve of arrays (`reports.stats.kaplan_meier`).

    Args:
        data: A frame of polars or pandas, or a mapping of columns; or times.
        events: With times: True where the event was seen.
        time: Column with the time of event or censoring.
        event: Column that is true or 1 where the event was seen, false or 0 where not.
        by: Column; a curve per level. Without it one curve, `all`.
        entry: Column with the time from which a row is at risk; with times an array.
        levels: Order of the levels of `by`; else that of its categories, else sorted.
        conf_type: `log` is R's default.
        level: Confidence level.

    Raises:
        ValueError: As for arrays; or a column is missing, or no row is complete.
        TypeError: Neither `time` and `event` nor events were given.

    Source:
        R `survfit(Surv(entry, time, event) ~ by)`.
    """
    if time is None:
        if events is None:
            raise TypeError("give the columns: time=..., event=...")
        return curves_of_arrays(data, events, entry=entry, conf_type=conf_type, level=level)
    if event is None:
        raise TypeError("give the column of events: event=...")
    rows = Rows.of(data, [time, event, entry, by])
    end, seen = numbers(rows.frame[time], time), flags(rows.frame[event], event)
    start = None if entry is None else numbers(rows.frame[entry], entry)
    if start is None:
        end = merge_close_times(end)
    else:
        start, end = merge_close_intervals(start, end)
    labels = np.array(rows.labels(by) if by else [ALL] * end.size)
    order = factor_levels(rows.frame[by], (levels or {}).get(by)) if by else [ALL]
    curves = {
        name: curves_of_arrays(
            end[chosen], seen[chosen], entry=None if start is None else start[chosen],
            conf_type=conf_type, level=level,
        )
        for name in order
        if (chosen := labels == name).any()
    }  # fmt: skip
    return Survival(by or "group", curves, rows.n_dropped, rows.dropped_by)


def log_rank(
    data: Any,
    events: Any = None,
    groups: Any = None,
    *,
    time: str | None = None,
    event: str | None = None,
    group: str | None = None,
    strata: Any = None,
    rho: float = 0.0,
) -> LogRank:
    """Two-sided log-rank test over all groups of a frame, or of arrays (`reports.stats.logrank`).

    Args:
        data: A frame, or times; with times also `events`, `groups` and, as an array, `strata`.
        events: With times: True where the event was seen.
        groups: With times: label of each row.
        time: Column with the time of event or censoring.
        event: Column that is true or 1 where the event was seen.
        group: Column whose levels are compared.
        strata: Column of strata.
        rho: Weight of early times, as in R's `survdiff`.

    Raises:
        ValueError: As for arrays; or a column is missing, or no row is complete.
        TypeError: Neither columns nor arrays were given.
    """
    if time is None:
        if events is None or groups is None:
            raise TypeError("give the columns: time=..., event=..., group=...")
        return log_rank_of_arrays(data, events, groups, rho=rho, strata=strata)
    if event is None or group is None:
        raise TypeError("give the columns: time=..., event=..., group=...")
    rows = Rows.of(data, [time, event, group, strata])
    return log_rank_of_arrays(
        merge_close_times(numbers(rows.frame[time], time)),
        flags(rows.frame[event], event),
        rows.labels(group),
        rho=rho,
        strata=rows.labels(strata) if strata else None,
    )


def status_codes(
    rows: Rows, event: str, cause: int, censor: int, competing: Sequence[int]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The status of each row.

    Raises:
        ValueError: The cause is the code of censored rows, or a row has a code that was not named.
    """
    if cause == censor or cause in competing or censor in competing:
        raise ValueError("cause, censor and competing must be different codes")
    codes = numbers(rows.frame[event], event)
    known = (censor, cause, *competing)
    named = ", ".join(map(str, known))
    refuse(~np.isin(codes, known), event, f"none of the codes {named} (name others as competing)")
    return codes.astype(np.int64)
