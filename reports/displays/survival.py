"""Kaplan-Meier displays: curves by up to two variables, medians, numbers at risk, log-rank tests."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

import polars as pl

from reports.displays import curves
from reports.displays.context import Context
from reports.displays.estimate import ALL, Estimate

if TYPE_CHECKING:
    from schemas.spec.plan import Endpoint, SurvivalCurves


def estimates(planned: SurvivalCurves, context: Context) -> Iterator[Estimate]:
    """Rows of a display of survival curves."""
    month = context.study.settings.days_per_month
    times = _from_landmark(planned, context.times(planned.endpoint, planned.where), month)
    populations = populations_of(planned, context)
    samples = tuple(
        _sample(_in_population(times, planned.by, code), code, label)
        for code, label in populations.items()
    )
    endpoint = context.endpoint(planned.endpoint)
    label = endpoint.label
    yield _axes(planned, endpoint)
    display = curves.Display(planned.id, planned.endpoint, label, samples, month)
    yield from curves.curves(display)
    yield from curves.at_months(display, planned.at_months)
    yield from curves.restricted_means(display, planned.rmst_months)
    yield from curves.test(display)
    if planned.pairwise:
        yield from curves.pairs(display)
    if planned.follow_up:
        yield from curves.follow_up(display)
    yield from _excluded(planned, context, populations)


def _axes(planned: SurvivalCurves, endpoint: Endpoint) -> Estimate:
    """What the figure's axes and caption call time, share and events."""
    start = (
        f"Months from {endpoint.origin}"
        if planned.landmark_months is None
        else f"Months from month {planned.landmark_months:g} after {endpoint.origin}"
    )
    return Estimate(
        display=planned.id, endpoint=planned.endpoint, row="axes", row_label=endpoint.label,
        level_label=endpoint.events, statistic="text", text=start,
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


def _from_landmark(planned: SurvivalCurves, times: pl.DataFrame, month: float) -> pl.DataFrame:
    """Patients still at risk at the landmark, with their time from then on."""
    if planned.landmark_months is None:
        return times
    start = planned.landmark_months * month
    return times.filter(pl.col("days") > start).with_columns(days=pl.col("days") - start)


def _sample(times: pl.DataFrame, code: str, label: str) -> curves.Sample:
    return curves.Sample(code, label, times["days"].to_numpy(), times["event"].to_numpy())


def _excluded(
    planned: SurvivalCurves, context: Context, populations: dict[str, str]
) -> Iterator[Estimate]:
    """How many patients have no time that can be told, by reason, or no known level of a variable."""
    patients = context.chosen(planned.where)
    rows = context.data.exclusion.filter(pl.col("PARAMCD") == planned.endpoint).select(
        "USUBJID", "reason"
    )
    left_out = patients.join(rows, on="USUBJID", how="inner")
    for code, label in populations.items():
        mine = left_out if code == ALL else _in_population(left_out, planned.by, code)
        counted = mine.group_by("reason").len().sort("reason")
        for reason, number in [("", mine.height), *counted.iter_rows()]:
            yield _left_out(planned, code, label, "Time cannot be told", reason, number)
    for name in planned.by:
        unknown = patients[name].null_count()
        if unknown:
            words = f"{context.variable(name).label} not known"
            yield _left_out(planned, ALL, "All patients", words, f"{name}_UNKNOWN", unknown)


def _left_out(
    planned: SurvivalCurves, code: str, label: str, why: str, reason: str, number: int
) -> Estimate:
    shown = why if reason.endswith("_UNKNOWN") else reason.replace("_", " ").lower()
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
    month = context.study.settings.days_per_month
    timed = _from_landmark(planned, context.times(planned.endpoint, planned.where), month).select(
        population=code,
        level=pl.when(pl.col("event")).then(pl.lit("event")).otherwise(pl.lit("censored")),
        usubjid="USUBJID",
    )
    reasons = context.data.exclusion.filter(pl.col("PARAMCD") == planned.endpoint)
    left_out = (
        context.chosen(planned.where)
        .join(reasons.select("USUBJID"), on="USUBJID", how="semi")
        .select(population=code, level=pl.lit("excluded"), usubjid="USUBJID")
    )
    return pl.concat([timed, left_out]).select(
        display=pl.lit(planned.id), population=pl.col("population").fill_null("UNKNOWN"), row=pl.lit("curve"), level="level",
        usubjid="usubjid",
    )  # fmt: skip
