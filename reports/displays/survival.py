"""Kaplan-Meier displays: curves by up to two variables, medians, numbers at risk, what compares them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

import polars as pl

from reports.displays import curve_contrasts, curves
from reports.displays.context import Context
from reports.displays.curve_times import CurveTimes, curve_times
from reports.displays.estimate import ALL, Estimate
from reports.displays.late_levels import AT_LANDMARK, guarantee_time, late_names

if TYPE_CHECKING:
    from schemas.spec.plan import Endpoint, SurvivalCurves

NO_TIME = "Time cannot be told"


def estimates(planned: SurvivalCurves, context: Context) -> Iterator[Estimate]:
    """Rows of a display of survival curves."""
    month, plan = context.study.settings.days_per_month, context.plan
    found = curve_times(planned, context)
    populations = populations_of(planned, context)
    samples = tuple(
        _sample(_in_population(found.times, planned.by, code), code, label)
        for code, label in populations.items()
    )
    endpoint = context.endpoint(planned.endpoint)
    label = endpoint.label
    yield _axes(planned, endpoint)
    display = curves.Display(
        planned.id, planned.endpoint, label, samples, month, plan.early_events, plan.small_group
    )
    yield from _cautions(planned, context, found, display)
    yield from curves.curves(display)
    yield from curves.at_months(display, planned.at_months)
    yield from curve_contrasts.contrasts(display, planned.rmst_months, plan.rmst_months)
    yield from curve_contrasts.small_groups(display, (endpoint.event, endpoint.events))
    yield from curves.test(display)
    if planned.pairwise:
        yield from curves.pairs(display)
    if planned.follow_up:
        yield from curves.follow_up(display)
    yield from _excluded(planned, context, populations, found)


def _cautions(
    planned: SurvivalCurves, context: Context, found: CurveTimes, display: curves.Display
) -> Iterator[Estimate]:
    """Guarantee time, or that the landmark mends it; and why there is no curve, if there is none."""
    names = (*planned.by, *planned.where)
    told = {}
    if planned.landmark_months is None:
        told["GUARANTEE_TIME"] = guarantee_time(names, context, "this comparison")
    elif late_names(names, context) and not found.why_not:
        told["LANDMARK"] = AT_LANDMARK
    if not any(sample.days.size for sample in display.samples):
        told["EMPTY"] = _why_empty(planned, context, found)
    for code, text in told.items():
        if text:
            yield Estimate(
                display=planned.id, endpoint=planned.endpoint, row="WARNING", row_label="Caution",
                level=code, statistic="text", text=text,
            )  # fmt: skip


def _why_empty(planned: SurvivalCurves, context: Context, found: CurveTimes) -> str:
    if found.why_not:
        return f"No landmark curves: {found.why_not}."
    if found.times.height:
        return "No patient with a survival time has a level of the plan."
    if found.n_timed and planned.landmark_months is not None:
        return f"No patient is at risk after month {planned.landmark_months:g}."
    return "No patient of this display has a survival time."


def _axes(planned: SurvivalCurves, endpoint: Endpoint) -> Estimate:
    """What the figure's axes and caption call time, share and events."""
    start = (
        f"Months from {endpoint.origin}"
        if planned.landmark_months is None
        else f"Months from month {planned.landmark_months:g} after {endpoint.origin}"
    )
    return Estimate(
        display=planned.id, endpoint=planned.endpoint, row="axes", row_label=endpoint.label,
        level=endpoint.event, level_label=endpoint.events, statistic="text", text=start,
    )  # fmt: skip


def populations_of(planned: SurvivalCurves, context: Context) -> dict[str, str]:
    """Code → label of the curves: all patients, the levels of a variable, or all pairs of two."""
    levels = [list(context.variable(name).levels.items()) for name in planned.by]
    if not levels:
        return {ALL: "All patients"}
    return {
        "|".join(code for code, _ in chosen): ", ".join(label for _, label in chosen)
        for chosen in product(*levels)
    }


def _in_population(frame: pl.DataFrame, by: tuple[str, ...], code: str) -> pl.DataFrame:
    for name, part in zip(by, code.split("|"), strict=False):
        frame = frame.filter(pl.col(name) == part)
    return frame


def _sample(times: pl.DataFrame, code: str, label: str) -> curves.Sample:
    return curves.Sample(code, label, times["days"].to_numpy(), times["event"].to_numpy())


def _excluded(
    planned: SurvivalCurves, context: Context, populations: dict[str, str], found: CurveTimes
) -> Iterator[Estimate]:
    """How many patients have no time that can be told, by reason, are lost at the landmark, or have no level."""
    patients = context.chosen(found.where)
    rows = context.data.exclusion.filter(pl.col("PARAMCD") == planned.endpoint).select(
        "USUBJID", "reason"
    )
    left_out = patients.join(rows, on="USUBJID", how="inner")
    for code, label in populations.items():
        mine = left_out if code == ALL else _in_population(left_out, planned.by, code)
        counted = mine.group_by("reason").len().sort("reason")
        for reason, number in [("", mine.height), *counted.iter_rows()]:
            yield _left_out(planned, code, label, NO_TIME, reason, number)
    for reason, (words, number) in found.lost.items():
        yield _left_out(planned, ALL, "All patients", words, reason, number)
    with_levels = patients if planned.landmark_months is None else found.times
    for name in planned.by:
        levels, values = context.variable(name).levels, with_levels[name]
        known = values.drop_nulls()
        reasons = {
            f"{name}_UNKNOWN": ("not known", values.null_count()),
            f"{name}_OTHER": ("is no level of the plan", known.len() - int(known.is_in(list(levels)).sum())),
        }  # fmt: skip
        for reason, (words, number) in reasons.items():
            if number:
                shown = f"{context.variable(name).label} {words}"
                yield _left_out(planned, ALL, "All patients", shown, reason, number)


def _left_out(
    planned: SurvivalCurves, code: str, label: str, why: str, reason: str, number: int
) -> Estimate:
    shown = reason.replace("_", " ").lower() if why == NO_TIME else why
    return Estimate(
        display=planned.id, endpoint=planned.endpoint, population=code, population_label=label,
        row="excluded", row_label=why, level=reason or None, level_label=shown or None,
        statistic="n", value=float(number), n=number, text=str(number),
    )  # fmt: skip


def subjects(planned: SurvivalCurves, context: Context) -> pl.DataFrame:
    """The patients behind a display: with an event, censored, or left out."""
    code = (
        pl.concat_str([pl.col(name) for name in planned.by], separator="|")
        if planned.by
        else pl.lit(ALL)
    )
    found = curve_times(planned, context)
    timed = found.times.select(
        population=code,
        level=pl.when(pl.col("event")).then(pl.lit("event")).otherwise(pl.lit("censored")),
        usubjid="USUBJID",
    )
    left_out = (
        context.chosen(found.where)
        .join(found.times, on="USUBJID", how="anti")
        .select(population=code, level=pl.lit("excluded"), usubjid="USUBJID")
    )
    return pl.concat([timed, left_out]).select(
        display=pl.lit(planned.id), population=pl.col("population").fill_null("UNKNOWN"), row=pl.lit("curve"), level="level",
        usubjid="usubjid",
    )  # fmt: skip
