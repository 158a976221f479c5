"""Models in which a response counts only from the day on which it is known: landmark, time-dependent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import Estimate
from reports.displays.late_levels import (
    AT_LANDMARK,
    NO_DATE,
    levels_over_time,
    why_undated,
    with_levels,
)
from reports.displays.model_fit import DAYS, EVENT, PATIENT, Fitted, Request, fitted
from reports.displays.model_rows import counts, effects, whole
from reports.displays.model_warnings import said, warnings
from schemas.spec.plan import CoxModel

BY_DAY = (
    "A patient counts as without response until the day of the response, and from then on with it; nobody is "
    "credited with a response still to come."
)


def late_terms(planned: CoxModel, context: Context) -> tuple[str, ...]:
    """The terms that become known after time zero."""
    return tuple(name for name in planned.terms if context.variable(name).after_start)


def late_requests(primary: Fitted, planned: CoxModel) -> Iterator[Request]:
    """The landmark models and the time-dependent one that the plan asks for."""
    for months in planned.landmarks_months:
        yield at_landmark(primary, planned, months)
    if planned.time_dependent:
        yield time_dependent(primary, planned)


def at_landmark(primary: Fitted, planned: CoxModel, months: float) -> Request:
    """Patients at risk at a landmark, with the response known by then and the time from then on."""
    context = primary.context
    day = months * context.study.settings.days_per_month
    everyone = primary.request.frame
    frame = everyone.filter(pl.col(DAYS) > day).with_columns(at=pl.lit(day))
    lost = dict(primary.request.lost)
    lost[f"Dead or no longer observed by month {months:g}"] = everyone.height - frame.height
    frame, undated = with_levels(frame, late_terms(planned, context), context, planned.endpoint)
    lost[NO_DATE] = undated
    return replace(
        primary.request,
        frame=frame.with_columns(pl.col(DAYS) - day),
        lost={label: number for label, number in lost.items() if number},
        code=f"LANDMARK_{months:g}",
        label=f"Landmark at {months:g} months",
    )


def time_dependent(primary: Fitted, planned: CoxModel) -> Request:
    """A row for each stretch of time in which the response known so far is the same."""
    context = primary.context
    names = late_terms(planned, context)
    frame = _stretches(primary.request.frame, names, context, planned.endpoint)
    frame, undated = with_levels(frame, names, context, planned.endpoint)
    lost = {**primary.request.lost, NO_DATE: undated}
    return replace(
        primary.request,
        # Who has the event on the first day is at risk then.
        frame=frame.with_columns(entry=pl.when(pl.col("at") == 0).then(-1.0).otherwise("at")),
        lost={label: number for label, number in lost.items() if number},
        code="TIME_DEPENDENT",
        label="Response as it becomes known",
        entry="entry",
    )


def _stretches(
    frame: pl.DataFrame, names: tuple[str, ...], context: Context, endpoint: str
) -> pl.DataFrame:
    """The rows of each patient split where a response is reached: `at` and `days` bound a stretch."""
    days = frame.select(PATIENT, DAYS)
    changes = [
        levels_over_time(name, context, endpoint).select(PATIENT, at="since") for name in names
    ]
    inside = (
        pl.concat([*changes, days.clear().select(PATIENT, at=DAYS)])
        .join(days, on=PATIENT, how="inner")
        .filter((pl.col("at") > 0) & (pl.col("at") < pl.col(DAYS)))
        .select(PATIENT, "at")
    )
    starts = pl.concat([days.select(PATIENT, at=pl.lit(0.0)), inside]).unique()
    return (
        frame.join(starts, on=PATIENT, how="inner")
        .sort(PATIENT, "at")
        .with_columns(until=pl.col("at").shift(-1).over(PATIENT))
        .with_columns(
            pl.col(EVENT) & pl.col("until").is_null(),
            pl.coalesce("until", DAYS).alias(DAYS),
        )
    )


def late_models(primary: Fitted, planned: CoxModel) -> Iterator[Estimate]:
    """Their hazard ratios and counts, or the sentence why there are none."""
    if not planned.landmarks_months and not planned.time_dependent:
        return
    reason = why_undated(late_terms(planned, primary.context), primary.context)
    if reason:
        yield said(
            primary, "NO_LATE_MODEL", f"Landmark and time-dependent models not made: {reason}."
        )
        return
    for request in late_requests(primary, planned):
        model = fitted(planned, primary.context, request)
        yield from effects(model, tests=False)
        yield from counts(model)
        yield from whole(model)
        yield said(model, "METHOD", BY_DAY if request.entry else AT_LANDMARK)
        yield from warnings(model)
