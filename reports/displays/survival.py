"""Kaplan-Meier displays: F1C by group, S1A for the whole cohort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from reports.displays.data import AnalysisData
from reports.displays.estimate import (
    ALL,
    NOT_REACHED,
    Estimate,
    few_events_text,
    interval_text,
    number_text,
    p_text,
)
from reports.stats.kaplan_meier import (
    ConfidenceType,
    KaplanMeier,
    kaplan_meier,
    reverse_kaplan_meier,
)
from reports.stats.logrank import log_rank
from reports.stats.times import Bools, Floats

CONF_TYPE: ConfidenceType = "log"
CURVE = "Kaplan-Meier; pointwise 95% confidence interval, log transform"
MEDIAN = "Kaplan-Meier; 95% confidence interval by Brookmeyer and Crowley, log transform"
FOLLOW_UP = "Reverse Kaplan-Meier (deaths censored); 95% confidence interval, log transform"
TICK_MONTHS = 3


@dataclass(frozen=True)
class Sample:
    """Times of one population in whole days from the start of the clock."""

    code: str
    label: str
    days: Floats
    events: Bools


@dataclass(frozen=True)
class Display:
    """A survival display: its endpoint and populations."""

    name: str
    endpoint: str
    samples: tuple[Sample, ...]
    days_per_month: float

    def months(self, days: float | None) -> float | None:
        """Days as months; None stays None."""
        return None if days is None else days / self.days_per_month


def by_group(data: AnalysisData, groups: dict[str, str], days_per_month: float) -> list[Estimate]:
    """Rows of F1C: overall survival from first salvage by group, with the log-rank test."""
    times = _times(data, "OS")
    samples = tuple(
        _sample(times.filter(pl.col("GRP4") == code), code, label) for code, label in groups.items()
    )
    display = Display("F1C", "OS", samples, days_per_month)
    return [*_curves(display), *_test(display), *_excluded(data, display, groups)]


def whole_cohort(data: AnalysisData, days_per_month: float) -> list[Estimate]:
    """Rows of S1A: overall survival of the whole cohort, and its median follow-up."""
    sample = _sample(_times(data, "OS"), ALL, "All patients")
    display = Display("S1A", "OS", (sample,), days_per_month)
    found = [*_curves(display), *_excluded(data, display, {ALL: "All patients"})]
    if sample.days.size:
        follow_up = reverse_kaplan_meier(sample.days, sample.events, conf_type=CONF_TYPE)
        found.append(_median(display, sample, follow_up, "follow_up", "Follow-up", FOLLOW_UP))
    return found


def _times(data: AnalysisData, endpoint: str) -> pl.DataFrame:
    return data.adtte.filter(pl.col("PARAMCD") == endpoint).select(
        "USUBJID", "GRP4", days=pl.col("AVAL") - 1, event=pl.col("CNSR") == 0
    )


def _sample(times: pl.DataFrame, code: str, label: str) -> Sample:
    return Sample(
        code,
        label,
        times["days"].cast(pl.Float64).to_numpy(),
        times["event"].to_numpy(),
    )


def _curves(display: Display) -> Iterator[Estimate]:
    longest = max((float(s.days.max()) for s in display.samples if s.days.size), default=0.0)
    ticks = np.arange(0, longest / display.days_per_month + TICK_MONTHS, TICK_MONTHS)
    for sample in display.samples:
        if not sample.days.size:
            yield _empty(display, sample)
            continue
        curve = kaplan_meier(sample.days, sample.events, conf_type=CONF_TYPE)
        yield from _steps(display, sample, curve)
        yield from _at_risk(display, sample, curve, ticks)
        yield _median(display, sample, curve, "median", "Median", MEDIAN)


def _empty(display: Display, sample: Sample) -> Estimate:
    return Estimate(
        display=display.name,
        endpoint=display.endpoint,
        population=sample.code,
        population_label=sample.label,
        row="median",
        row_label="Median",
        statistic="median",
        n=0,
        events=0,
        text="no patients",
    )


def _steps(display: Display, sample: Sample, curve: KaplanMeier) -> Iterator[Estimate]:
    lower, upper = curve.limits
    start = (0.0, float(curve.n), 0.0, 0.0, 1.0, 1.0, 1.0)
    steps = zip(
        curve.time,
        curve.n_risk,
        curve.n_event,
        curve.n_censor,
        curve.survival,
        lower,
        upper,
        strict=True,
    )
    for index, step in enumerate([start, *steps]):
        days, n_risk, n_event, n_censor, survival, low, high = step
        common: dict[str, Any] = {
            "display": display.name,
            "endpoint": display.endpoint,
            "population": sample.code,
            "population_label": sample.label,
            "row": "curve",
            "row_label": "Overall survival",
            "time_months": display.months(float(days)),
            "value": float(survival),
        }
        if n_event or index == 0:
            yield Estimate(
                **common,
                statistic="survival",
                lower=float(low),
                upper=float(high),
                n=int(n_risk),
                events=int(n_event),
                method=CURVE,
            )
        if n_censor:
            yield Estimate(**common, statistic="censored", n=int(n_censor))


def _at_risk(
    display: Display, sample: Sample, curve: KaplanMeier, ticks: Floats
) -> Iterator[Estimate]:
    for tick, point in zip(ticks, curve.at(ticks * display.days_per_month), strict=True):
        yield Estimate(
            display=display.name,
            endpoint=display.endpoint,
            population=sample.code,
            population_label=sample.label,
            row="at_risk",
            row_label="Number at risk",
            level=number_text(float(tick), 0),
            statistic="n",
            value=float(point.n_risk),
            n=point.n_risk,
            time_months=float(tick),
            method="Patients whose time is at least the tick",
            text=str(point.n_risk),
        )


def _median(
    display: Display, sample: Sample, curve: KaplanMeier, row: str, label: str, method: str
) -> Estimate:
    found = curve.median
    value, lower, upper = (display.months(days) for days in (found.value, found.lower, found.upper))
    shown = NOT_REACHED if value is None else f"{number_text(value, 1)} months"
    limits = (
        "" if lower is None and upper is None else f" (95% CI {interval_text(lower, upper, 1)})"
    )
    return Estimate(
        display=display.name,
        endpoint=display.endpoint,
        population=sample.code,
        population_label=sample.label,
        row=row,
        row_label=label,
        statistic="median",
        value=value,
        lower=lower,
        upper=upper,
        n=curve.n,
        events=curve.events,
        method=method,
        text=shown + limits + few_events_text(curve.events),
    )


def _test(display: Display) -> Iterator[Estimate]:
    filled = [sample for sample in display.samples if sample.days.size]
    if len(filled) < 2:
        return
    result = log_rank(
        np.concatenate([sample.days for sample in filled]),
        np.concatenate([sample.events for sample in filled]),
        np.concatenate([np.full(sample.days.size, sample.code) for sample in filled]),
    )
    yield Estimate(
        display=display.name,
        endpoint=display.endpoint,
        row="test",
        row_label="Log-rank test",
        statistic="p",
        value=result.chi_squared,
        p=result.p,
        n=sum(result.n),
        events=int(sum(result.observed)),
        method=f"Log-rank test, two-sided, unstratified, {result.df} degrees of freedom",
        text=p_text(result.p),
    )


def _excluded(
    data: AnalysisData, display: Display, populations: dict[str, str]
) -> Iterator[Estimate]:
    """How many patients of the cohort have no time that can be told, by reason."""
    groups = data.adsl.select("USUBJID", "GRP4")
    rows = data.exclusion.filter(pl.col("PARAMCD") == display.endpoint).join(groups, on="USUBJID")
    for code, label in populations.items():
        mine = rows if code == ALL else rows.filter(pl.col("GRP4") == code)
        counted = mine.group_by("reason").len().sort("reason")
        for reason, number in [("", mine.height), *counted.iter_rows()]:
            yield Estimate(
                display=display.name,
                endpoint=display.endpoint,
                population=code,
                population_label=label,
                row="excluded",
                row_label="Time cannot be told",
                level=reason or None,
                level_label=reason.replace("_", " ").lower() or None,
                statistic="n",
                value=float(number),
                n=number,
                text=str(number),
            )


def subjects(data: AnalysisData) -> pl.DataFrame:
    """The patients behind both displays: with an event, censored, or left out."""
    timed = data.adtte.filter(pl.col("PARAMCD") == "OS").select(
        population="GRP4",
        level=pl.when(pl.col("CNSR") == 0).then(pl.lit("event")).otherwise(pl.lit("censored")),
        usubjid="USUBJID",
    )
    left_out = (
        data.exclusion.filter(pl.col("PARAMCD") == "OS")
        .join(data.adsl.select("USUBJID", "GRP4"), on="USUBJID")
        .select(population="GRP4", level=pl.lit("excluded"), usubjid="USUBJID")
    )
    both = pl.concat([timed, left_out])
    return pl.concat(
        [
            both.select(
                display=pl.lit(name),
                population=pl.lit(ALL) if name == "S1A" else pl.col("population"),
                row=pl.lit("curve"),
                level="level",
                usubjid="usubjid",
            )
            for name in ("F1C", "S1A")
        ]
    )
