"""Models in which a response counts only from the day on which it is known: landmark, time-dependent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import Estimate
from reports.displays.model_fit import DAYS, EVENT, PATIENT, Fitted, Request, fitted
from reports.displays.model_rows import counts, effects, whole
from reports.displays.model_warnings import said, warnings
from schemas.spec.plan import CoxModel

RESPONSE = "BESTRESP"
CLASSES = ("CR", "VGPR", "PR", "LTPR")  # the deepest first
NONE_YET = "LTPR"
NO_DATE = "Day of the response not known"
AT_LANDMARK = (
    "Patients at risk at the landmark, with the response known by then; time runs from there, so that nobody "
    "is credited with a response still to come."
)
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


def why_not(primary: Fitted, planned: CoxModel) -> str:
    """Why no response can be dated, empty if it can."""
    context = primary.context
    names = late_terms(planned, context)
    others = [name for name in names if (context.variable(name).column or name) != RESPONSE]
    if others:
        labels = ", ".join(context.variable(name).label for name in others)
        return f"the data do not tell on which day this became known: {labels}"
    if names and context.data.models.late_responses is None:
        return "the warehouse holds no dated responses"
    return ""


def at_landmark(primary: Fitted, planned: CoxModel, months: float) -> Request:
    """Patients at risk at a landmark, with the response known by then and the time from then on."""
    context = primary.context
    day = months * context.study.settings.days_per_month
    everyone = primary.request.frame
    frame = everyone.filter(pl.col(DAYS) > day).with_columns(at=pl.lit(day))
    lost = dict(primary.request.lost)
    lost[f"Dead or no longer observed by month {months:g}"] = everyone.height - frame.height
    frame, undated = _with_levels(frame, late_terms(planned, context), context, planned.endpoint)
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
    frame, undated = _with_levels(frame, names, context, planned.endpoint)
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
        _levels_over_time(name, context, endpoint).select(PATIENT, at="since") for name in names
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


def _with_levels(
    frame: pl.DataFrame, names: tuple[str, ...], context: Context, endpoint: str
) -> tuple[pl.DataFrame, int]:
    """Each late variable as it was known on day `at`; patients without a day are left out and counted."""
    before = frame[PATIENT].n_unique()
    for name in names:
        history = _levels_over_time(name, context, endpoint).sort("since")
        first = _level(name, context, NONE_YET)
        undated = _undated(name, context, history, first)
        frame = (
            frame.filter(~pl.col(PATIENT).is_in(undated.implode()))
            .sort("at")
            .join_asof(
                history.select(PATIENT, "since", reached="level"),
                left_on="at",
                right_on="since",
                by=PATIENT,
                strategy="backward",
                check_sortedness=False,
            )  # fmt: skip
            .with_columns(
                pl.when(pl.col(name).is_not_null())
                .then(pl.coalesce("reached", pl.lit(first)))
                .alias(name)
            )
            .drop("reached", "since")
        )
    return frame.sort(PATIENT, "at"), before - frame[PATIENT].n_unique()


def _level(name: str, context: Context, response: str) -> str | None:
    recode = context.variable(name).recode
    return recode.get(response) if recode else response


def _levels_over_time(name: str, context: Context, endpoint: str) -> pl.DataFrame:
    """`since` (days from the start of the clock) and level of each step, never worse than the step before.

    What a center reports as best response bounds the steps: deeper single assessments do not count.
    """
    dated = context.data.models.late_responses
    times = context.data.adtte.filter(pl.col("PARAMCD") == endpoint).select(PATIENT, "STARTDT")
    best = context.data.adsl.select(PATIENT, best=pl.col(RESPONSE).cast(pl.String))
    depth = {code: place for place, code in enumerate(CLASSES)}
    empty = pl.DataFrame(schema={PATIENT: pl.String, "since": pl.Float64, "level": pl.String})
    if dated is None or not dated.height:
        return empty
    return (
        dated.join(times, on=PATIENT, how="inner")
        .join(best, on=PATIENT, how="inner")
        .with_columns(
            since=(pl.col("ADT") - pl.col("STARTDT")).dt.total_days().cast(pl.Float64),
            depth=pl.col("RESPONSE").replace_strict(depth, return_dtype=pl.Int64),
            best_depth=pl.col("best").replace_strict(depth, default=None, return_dtype=pl.Int64),
        )
        .filter(pl.col("depth") >= pl.col("best_depth"))
        .sort(PATIENT, "since", "depth")
        .with_columns(reached=pl.col("depth").cum_min().over(PATIENT))
        .with_columns(
            level=pl.col("reached").replace_strict(
                {place: _level(name, context, code) for code, place in depth.items()},
                return_dtype=pl.String,
            )
        )
        .group_by(PATIENT, "since")
        .agg(pl.col("level").sort_by("reached").first())
        .sort(PATIENT, "since")
    )


def _undated(name: str, context: Context, history: pl.DataFrame, first: str | None) -> pl.Series:
    """Patients who reached a level of which no day is known."""
    reached = context.patients.select(PATIENT, level=name).filter(pl.col("level") != first)
    return reached.join(history, on=[PATIENT, "level"], how="anti")[PATIENT]


def late_models(primary: Fitted, planned: CoxModel) -> Iterator[Estimate]:
    """Their hazard ratios and counts, or the sentence why there are none."""
    if not planned.landmarks_months and not planned.time_dependent:
        return
    reason = why_not(primary, planned)
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
