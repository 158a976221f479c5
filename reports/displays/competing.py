"""Cumulative incidence of an event and of the one that can come first, by group, with tests and models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from reports.displays import competing_models
from reports.displays.context import CENSORED, COMPETING, EVENT, Context
from reports.displays.curves import ticks_up_to
from reports.displays.estimate import (
    ALL,
    NOT_ESTIMABLE,
    Estimate,
    interval_text,
    number_text,
    p_text,
)
from reports.displays.late_levels import guarantee_time
from reports.stats.competing.at_risk import Codes
from reports.stats.competing.gray import gray_test
from reports.stats.competing.incidence import Incidence, cumulative_incidence, incidence_at
from reports.stats.times import Floats

if TYPE_CHECKING:
    from schemas.spec.plan import CompetingRisks

CURVE = "Aalen-Johansen (R: cmprsk::cuminc, its variance); 95% confidence interval, log(-log)"
GRAY = "Gray's test (R: cmprsk::cuminc), two-sided"
MISSING = "missing"


@dataclass(frozen=True)
class Sample:
    """Patients of one level of the grouping variable: whole days and status."""

    code: str
    label: str
    days: Floats
    status: Codes

    def events(self, cause: int) -> int:
        """Patients who had this event first."""
        return int((self.status == cause).sum())


@dataclass(frozen=True)
class Display:
    """A display of competing risks: its endpoint, the labels of both causes, and the groups."""

    name: str
    endpoint: str
    causes: dict[int, str]
    samples: tuple[Sample, ...]
    days_per_month: float
    early_events: int
    small_group: int

    @property
    def filled(self) -> tuple[Sample, ...]:
        """The groups that have patients."""
        return tuple(sample for sample in self.samples if sample.days.size)

    def flags(self, n: int, events: int) -> str:
        """What makes an estimate of `n` patients with `events` weak."""
        found = [f"few events ({events})"] if events < self.early_events else []
        found += [f"small group ({n})"] if n < self.small_group else []
        return "".join(f"; {flag}" for flag in found)


def estimates(planned: CompetingRisks, context: Context) -> Iterator[Estimate]:
    """Curves of both causes, incidence at months, numbers at risk, Gray's tests, both models."""
    times = context.times(planned.endpoint, planned.where)
    known = times.filter(pl.col(planned.by).is_not_null())
    display = _display(planned, context, known)
    yield Estimate(
        display=planned.id, endpoint=planned.endpoint, row="origin", row_label="Start of the clock",
        statistic="text", text=context.endpoint(planned.endpoint).origin,
    )  # fmt: skip
    names = (planned.by, *planned.where)
    if late := guarantee_time(names, context, "this comparison"):
        yield Estimate(
            display=planned.id, endpoint=planned.endpoint, row="WARNING", row_label="Caution",
            level="GUARANTEE_TIME", statistic="text", text=late,
        )  # fmt: skip
    yield from _sizes(display)
    yield from _left_out(planned, context, times)
    if not display.filled:
        return
    curves = _curves(display)
    for sample in display.filled:
        for cause in display.causes:
            yield from _steps(display, sample, curves[cause, sample.code])
        yield from _at_risk(display, sample)
    yield from _at_months(display, curves, planned.at_months)
    yield from _tests(display)
    yield from competing_models.models(display, context.variable(planned.by).label)


def _display(planned: CompetingRisks, context: Context, times: pl.DataFrame) -> Display:
    endpoint = context.endpoint(planned.endpoint)
    observed = times[planned.by].unique().sort().to_list()
    declared = context.variable(planned.by).levels
    levels = {**declared, **{code: code for code in observed if code not in declared}}
    parts = {code: times.filter(pl.col(planned.by) == code) for code in levels}
    samples = tuple(
        Sample(code, label, parts[code]["days"].to_numpy(), parts[code]["status"].to_numpy())
        for code, label in levels.items()
    )
    causes = {
        EVENT: _sentence(endpoint.event),
        COMPETING: _sentence(endpoint.competing or "competing event"),
    }
    plan = context.plan
    month = context.study.settings.days_per_month
    return Display(
        planned.id, planned.endpoint, causes, samples, month, plan.early_events, plan.small_group
    )  # fmt: skip


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _curves(display: Display) -> dict[tuple[int, str], Incidence]:
    """A curve per cause and group; a cause that nobody had is a curve without jumps."""
    found = {}
    for sample in display.filled:
        made = {
            c.cause: c for c in cumulative_incidence(sample.days, sample.status, censor=CENSORED)
        }
        for cause in display.causes:
            none = np.empty(0)
            flat = Incidence("all", cause, none, none, none, np.sort(sample.days))
            found[cause, sample.code] = made.get(cause, flat)
    return found


def _sizes(display: Display) -> Iterator[Estimate]:
    for sample in display.samples:
        n = int(sample.days.size)
        for cause, label in display.causes.items():
            events = sample.events(cause)
            shown = f"{events} of {n}{display.flags(n, events)}" if n else "no patients"
            yield Estimate(
                display=display.name, endpoint=display.endpoint, population=sample.code,
                population_label=sample.label, row="size", row_label=label, level=str(cause),
                level_label=label, statistic="n", value=float(events), n=n, events=events, text=shown,
            )  # fmt: skip


def _steps(display: Display, sample: Sample, curve: Incidence) -> Iterator[Estimate]:
    # From time 0 to the last time of the group, after which nothing is known.
    points = np.unique(np.concatenate([[0.0], curve.time, [curve.last_time]]))
    frame = incidence_at([curve], points)
    for row in frame.iter_rows(named=True):
        yield Estimate(
            display=display.name, endpoint=display.endpoint, population=sample.code,
            population_label=sample.label, row="curve", row_label=display.causes[curve.cause],
            level=str(curve.cause), level_label=display.causes[curve.cause], statistic="incidence",
            value=row["incidence"], lower=row["lower"], upper=row["upper"], n=row["n_risk"],
            method=CURVE, time_months=row["time"] / display.days_per_month,
            text=f"{_share(row)}, {row['n_risk']} at risk",
        )  # fmt: skip


def _at_risk(display: Display, sample: Sample) -> Iterator[Estimate]:
    longest = max(float(other.days.max()) for other in display.filled)
    ticks = ticks_up_to(longest / display.days_per_month)
    days = np.sort(sample.days)
    left = days.size - np.searchsorted(days, ticks * display.days_per_month, side="left")
    for tick, number in zip(ticks, left, strict=True):
        yield Estimate(
            display=display.name, endpoint=display.endpoint, population=sample.code,
            population_label=sample.label, row="at_risk", row_label="Number at risk",
            level=f"{tick:g}", statistic="n", value=float(number), n=int(number),
            time_months=float(tick), method="Patients whose time is at least the tick",
            text=str(int(number)),
        )  # fmt: skip


def _at_months(
    display: Display, curves: dict[tuple[int, str], Incidence], months: tuple[float, ...]
) -> Iterator[Estimate]:
    grid = np.array(months, dtype=np.float64) * display.days_per_month
    for cause, label in display.causes.items():
        for sample in display.filled:
            frame = incidence_at([curves[cause, sample.code]], grid)
            n, events = int(sample.days.size), sample.events(cause)
            for month, row in zip(months, frame.iter_rows(named=True), strict=True):
                yield Estimate(
                    display=display.name, endpoint=display.endpoint, population=sample.code,
                    population_label=sample.label, row="at_months", row_label=label,
                    level=f"{cause}|{month:g}", level_label=f"{label} at {month:g} months",
                    statistic="incidence", value=row["incidence"], lower=row["lower"],
                    upper=row["upper"], n=row["n_risk"], time_months=float(month),
                    method=CURVE, text=_share(row) + display.flags(n, events),
                )  # fmt: skip


def _share(row: dict[str, float | None]) -> str:
    value, lower, upper = row["incidence"], row["lower"], row["upper"]
    if value is None:
        return "beyond the last time"
    shown = f"{number_text(100 * value, 0)}%"
    if lower is None or upper is None:
        return shown
    return f"{shown} (95% CI {interval_text(100 * lower, 100 * upper, 0)})"


def _tests(display: Display) -> Iterator[Estimate]:
    days = np.concatenate([sample.days for sample in display.filled])
    status = np.concatenate([sample.status for sample in display.filled])
    group = np.concatenate([np.full(s.days.size, s.code) for s in display.filled])
    for cause, label in display.causes.items():
        events = int((status == cause).sum())
        found = gray_test(days, status, group, cause=cause, censor=CENSORED)
        shown = p_text(found.p) if found else _why_no_test(display, events)
        few = events < display.early_events
        yield Estimate(
            display=display.name, endpoint=display.endpoint, row="gray", row_label="Gray's test",
            level=str(cause), level_label=label, statistic="p", value=found.statistic if found else None,
            p=found.p if found else None, n=int(days.size), events=events,
            method=f"{GRAY}, {len(display.filled) - 1} degrees of freedom",
            text=shown + (f"; few events ({events})" if found and few else ""),
        )  # fmt: skip


def _why_no_test(display: Display, events: int) -> str:
    if len(display.filled) < 2:
        return f"{NOT_ESTIMABLE}: one group only"
    return f"{NOT_ESTIMABLE}: {'no event' if not events else 'the variance is singular'}"


def _left_out(planned: CompetingRisks, context: Context, times: pl.DataFrame) -> Iterator[Estimate]:
    """Patients without a time, by reason, and without a known group."""
    chosen = context.chosen(planned.where)
    reasons = context.data.exclusion.filter(pl.col("PARAMCD") == planned.endpoint)
    counted = chosen.join(reasons.select("USUBJID", "reason"), on="USUBJID", how="left").filter(
        ~pl.col("USUBJID").is_in(times["USUBJID"].implode())
    )
    by_reason = counted.group_by(pl.col("reason").fill_null("NO_TIME")).len().sort("reason")
    found = {reason: int(number) for reason, number in by_reason.iter_rows()}
    if unknown := times[planned.by].null_count():
        found[f"{planned.by}_UNKNOWN"] = unknown
    for reason, number in [(None, sum(found.values())), *found.items()]:
        words = reason.replace("_", " ").lower() if reason else None
        if reason and reason.endswith("_UNKNOWN"):
            words = f"{context.variable(planned.by).label} not known"
        yield Estimate(
            display=planned.id, endpoint=planned.endpoint, population=ALL,
            population_label="All patients", row="excluded", row_label="Left out", level=reason,
            level_label=words, statistic="n", value=float(number), n=number, text=str(number),
        )  # fmt: skip


def subjects(planned: CompetingRisks, context: Context) -> pl.DataFrame:
    """The patients behind the curves: by group and status; those left out."""
    times = context.times(planned.endpoint, planned.where)
    names = {CENSORED: "censored", EVENT: "event", COMPETING: "competing"}
    timed = times.select(
        population=pl.col(planned.by).fill_null("UNKNOWN"),
        level=pl.col("status").replace_strict(names, return_dtype=pl.String),
        usubjid="USUBJID",
    )
    left_out = (
        context.chosen(planned.where)
        .join(times.select("USUBJID"), on="USUBJID", how="anti")
        .select(population=pl.col(planned.by).fill_null("UNKNOWN"), level=pl.lit("excluded"), usubjid="USUBJID")
    )  # fmt: skip
    return pl.concat([timed, left_out]).select(
        display=pl.lit(planned.id), population="population", row=pl.lit("curve"), level="level",
        usubjid="usubjid",
    )  # fmt: skip
