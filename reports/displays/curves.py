"""What is estimated of Kaplan-Meier curves: steps, numbers at risk, medians and tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from reports.displays.estimate import (
    NOT_REACHED,
    Estimate,
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
from reports.stats.logrank import log_rank, pairwise_log_rank
from reports.stats.times import Bools, Floats

CONF_TYPE: ConfidenceType = "log"
CURVE = "Kaplan-Meier; pointwise 95% confidence interval, log transform"
MEDIAN = "Kaplan-Meier; 95% confidence interval by Brookmeyer and Crowley, log transform"
FOLLOW_UP = "Reverse Kaplan-Meier (events censored); 95% confidence interval, log transform"
TICK_MONTHS = (3, 6, 12, 24, 36, 60, 120)
MOST_TICKS = 13
BEYOND = "beyond the last time"


@dataclass(frozen=True)
class Sample:
    """Times of one population in whole days from the start of the clock."""

    code: str
    label: str
    days: Floats
    events: Bools

    @cached_property
    def curve(self) -> KaplanMeier:
        """The Kaplan-Meier curve, in days."""
        return kaplan_meier(self.days, self.events, conf_type=CONF_TYPE)


@dataclass(frozen=True)
class Display:
    """A survival display: its endpoint and populations."""

    name: str
    endpoint: str
    label: str
    samples: tuple[Sample, ...]
    days_per_month: float
    early_events: int = 10
    small_group: int = 20

    def flags(self, n: int, events: int) -> str:
        """What makes an estimate of `n` patients with `events` weak; empty if nothing does."""
        found = [f"few events ({events})"] if events < self.early_events else []
        found += [f"small group ({n})"] if n < self.small_group else []
        return "".join(f"; {flag}" for flag in found)

    def months(self, days: float | None) -> float | None:
        """Days as months; None stays None."""
        return None if days is None else days / self.days_per_month


def curves(display: Display) -> Iterator[Estimate]:
    """Steps, numbers at risk and median of every population."""
    longest = max((float(s.days.max()) for s in display.samples if s.days.size), default=0.0)
    ticks = ticks_up_to(longest / display.days_per_month)
    for sample in display.samples:
        if not sample.days.size:
            yield _empty(display, sample)
            continue
        curve = sample.curve
        yield from _steps(display, sample, curve)
        yield from _at_risk(display, sample, curve, ticks)
        yield _median(display, sample, curve, "median", "Median", MEDIAN)


def ticks_up_to(months: float) -> Floats:
    """Months at which numbers at risk are told: every third, or fewer where follow-up is long."""
    step = next((s for s in TICK_MONTHS if months / s <= MOST_TICKS - 1), TICK_MONTHS[-1])
    return np.arange(0, months + step, step, dtype=np.float64)


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
            "row_label": display.label,
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
        text=shown + limits + display.flags(curve.n, curve.events),
    )


def test(display: Display) -> Iterator[Estimate]:
    """The log-rank test over all populations."""
    filled = [sample for sample in display.samples if sample.days.size]
    if len(filled) < 2:
        return
    result = log_rank(*_pooled(filled))
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


def pairs(display: Display) -> Iterator[Estimate]:
    """Log-rank test of each pair of populations, raw and adjusted by Holm."""
    filled = [sample for sample in display.samples if sample.days.size]
    if len(filled) < 3:
        return
    labels = {sample.code: sample.label for sample in filled}
    for pair in pairwise_log_rank(*_pooled(filled), [sample.code for sample in filled]):
        yield Estimate(
            display=display.name, endpoint=display.endpoint, population=pair.first,
            population_label=labels[pair.first], row="pair", row_label="Log-rank test of two",
            level=pair.second, level_label=labels[pair.second], statistic="p",
            value=pair.chi_squared, p=pair.p, method="Log-rank test, unadjusted",
            text=p_text(pair.p),
        )  # fmt: skip
        yield Estimate(
            display=display.name, endpoint=display.endpoint, population=pair.first,
            population_label=labels[pair.first], row="pair", row_label="Log-rank test of two",
            level=pair.second, level_label=labels[pair.second], statistic="p_holm",
            value=pair.chi_squared, p=pair.holm, method="Log-rank test, adjusted by Holm",
            text=p_text(pair.holm),
        )  # fmt: skip


def follow_up(display: Display) -> Iterator[Estimate]:
    """Median follow-up of every population, by reverse Kaplan-Meier."""
    for sample in display.samples:
        if sample.days.size:
            curve = reverse_kaplan_meier(sample.days, sample.events, conf_type=CONF_TYPE)
            yield _median(display, sample, curve, "follow_up", "Follow-up", FOLLOW_UP)


def at_months(display: Display, months: tuple[float, ...]) -> Iterator[Estimate]:
    """Survival of every population at some months."""
    for sample in display.samples:
        if not sample.days.size:
            continue
        curve = sample.curve
        flags = display.flags(curve.n, curve.events)
        points = curve.at(np.array(months) * display.days_per_month) if months else []
        for month, point in zip(months, points, strict=True):
            # A curve that ends above 0 is not carried on; one that has come to 0 stays there.
            if point.beyond_last_time and point.survival > 0:
                yield _beyond(display, sample, month)
                continue
            value, lower, upper = point.survival, point.lower, point.upper
            low, high = (None if np.isnan(x) else 100 * x for x in (lower, upper))
            limits = f"95% CI {interval_text(low, high, 0)}"
            if low is None and high is None:  # nobody is left: the logarithm of 0 has no variance
                limits = "interval not estimable"
            yield Estimate(
                display=display.name, endpoint=display.endpoint, population=sample.code,
                population_label=sample.label, row="at_months",
                row_label=f"{display.label} at {month:g} months", level=f"{month:g}",
                statistic="survival", value=value, lower=lower, upper=upper, n=point.n_risk,
                time_months=float(month), method=CURVE,
                text=f"{number_text(100 * value, 0)}% ({limits}){flags}",
            )  # fmt: skip


def _beyond(display: Display, sample: Sample, month: float) -> Estimate:
    """A month after the last time of a population: nothing is known of it."""
    return Estimate(
        display=display.name, endpoint=display.endpoint, population=sample.code,
        population_label=sample.label, row="at_months",
        row_label=f"{display.label} at {month:g} months", level=f"{month:g}",
        statistic="survival", n=0, time_months=float(month), method=CURVE, text=BEYOND,
    )  # fmt: skip


def _pooled(samples: list[Sample]) -> tuple[Floats, Bools, Any]:
    return (
        np.concatenate([sample.days for sample in samples]),
        np.concatenate([sample.events for sample in samples]),
        np.concatenate([np.full(sample.days.size, sample.code) for sample in samples]),
    )
