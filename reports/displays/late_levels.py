"""Variables that become known after time zero, as they were known on a day: for landmarks and models."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import within

PATIENT = "USUBJID"
RESPONSE = "BESTRESP"
CLASSES = ("CR", "VGPR", "PR", "LTPR")  # the deepest first
NONE_YET = "LTPR"
NO_DATE = "Day of the response not known"
AT_LANDMARK = (
    "Patients at risk at the landmark, with the response known by then; time runs from there, so that nobody "
    "is credited with a response still to come."
)
GUARANTEE_TIME = (
    "Guarantee time: {names} becomes known only after time zero. Who dies early cannot reach it, so {what} favors "
    "those who lived to have it."
)


def late_names(names: Iterable[str], context: Context) -> tuple[str, ...]:
    """Those of some variables that become known after time zero, each once."""
    return tuple(n for n in dict.fromkeys(names) if context.plan.variables[n].after_start)


def guarantee_time(names: Iterable[str], context: Context, what: str) -> str:
    """The sentence on guarantee time if one of the variables is late; else empty."""
    late = late_names(names, context)
    labels = ", ".join(within(context.variable(name).label) for name in late)
    return GUARANTEE_TIME.format(names=labels, what=what) if late else ""


def why_undated(names: tuple[str, ...], context: Context) -> str:
    """Why it is not known on which day late variables became known, empty if it is."""
    others = [name for name in names if (context.variable(name).column or name) != RESPONSE]
    if others:
        labels = ", ".join(context.variable(name).label for name in others)
        return f"the data do not tell on which day this became known: {labels}"
    if names and context.data.models.late_responses is None:
        return "the warehouse holds no dated responses"
    return ""


def with_levels(
    frame: pl.DataFrame, names: tuple[str, ...], context: Context, endpoint: str
) -> tuple[pl.DataFrame, int]:
    """Each late variable as it was known on day `at`; patients without a day are left out and counted."""
    before = frame[PATIENT].n_unique()
    for name in names:
        history = levels_over_time(name, context, endpoint).sort("since")
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


def levels_over_time(name: str, context: Context, endpoint: str) -> pl.DataFrame:
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
