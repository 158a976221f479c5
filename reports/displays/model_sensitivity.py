"""A model and the medians again: other completions of dates, a center less, without patients with errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import Estimate
from reports.displays.model_fit import PATIENT, Fitted
from reports.displays.model_settings import settings
from reports.displays.model_variant import Keep, everybody, medians, variant
from reports.displays.model_warnings import said
from schemas.spec.plan import CoxModel

CENTER = "SITEID"
COMPLETION_LABELS = {
    "EARLIEST": "Partial dates at their earliest",
    "LATEST": "Partial dates at their latest",
}


def sensitivity(primary: Fitted, planned: CoxModel) -> Iterator[Estimate]:
    """Rows of all that can be computed, and sentences on what cannot."""
    context = primary.context
    yield from medians(planned, context, primary.request.code, primary.request.label, everybody)
    yield from _completions(primary, planned)
    yield from _without_errors(primary, planned)
    for center in _centers(context):
        yield from variant(
            planned, context, f"WITHOUT_{center}", f"Without center {center}", _without(center)
        )
    if len(_centers(context)) < 2:
        yield said(
            primary,
            "NOT_RUN_CENTERS",
            "Each center left out: not run, there is one center or none is named.",
        )
    yield from settings(primary, planned)


def _centers(context: Context) -> list[str]:
    """The centers of the patients, none if there is only one."""
    if CENTER not in context.patients.columns:
        return []
    found = context.patients[CENTER].cast(pl.String).drop_nulls().unique().sort().to_list()
    return found if len(found) > 1 else []


def _without(center: str) -> Keep:
    return lambda frame: frame.filter(pl.col(CENTER).cast(pl.String) != center)


def _completions(primary: Fitted, planned: CoxModel) -> Iterator[Estimate]:
    context = primary.context
    models = context.data.models
    for completion, label in COMPLETION_LABELS.items():
        if models.completed_times is None or completion not in models.completions:
            yield said(
                primary, f"NOT_RUN_{completion}",
                f"{label}: not run, the warehouse holds no such times.",
            )  # fmt: skip
            continue
        yield from variant(planned, completed(context, completion), completion, label, everybody)
        changed = models.completed_times.filter(
            (pl.col("ANALYSIS") == completion) & (pl.col("PARAMCD") == planned.endpoint)
        ).height
        yield said(
            primary, completion,
            f"{label}: {changed} {'patient has' if changed == 1 else 'patients have'} another time or "
            "event; variables of the model stay as in the primary analysis.",
        )  # fmt: skip


def completed(context: Context, completion: str) -> Context:
    """The same patients with the times of a completion of partial dates."""
    data = context.data
    assert data.models.completed_times is not None
    changed = data.models.completed_times.filter(pl.col("ANALYSIS") == completion)
    keys = [PATIENT, "PARAMCD"]
    times = data.adtte.select(*keys, "STARTDT", "AVAL", "CNSR")
    kept = times.join(changed, on=keys, how="anti")
    new = changed.drop_nulls("AVAL").join(times.select(*keys, "STARTDT"), on=keys, how="left")
    new = new.select(pl.col(name).cast(times.schema[name]) for name in times.columns)
    return replace(context, data=replace(data, adtte=pl.concat([kept, new])))


def _without_errors(primary: Fitted, planned: CoxModel) -> Iterator[Estimate]:
    touched = primary.context.data.models.open_errors
    if touched is None:
        yield said(
            primary, "NOT_RUN_ERRORS",
            "Without patients with open errors: not run, the warehouse holds no findings.",
        )  # fmt: skip
        return
    ids = touched[PATIENT].implode()
    number = primary.request.frame.filter(pl.col(PATIENT).is_in(ids)).height
    yield said(
        primary, "ERRORS",
        f"Findings of severity error in deliveries in force touch {number} of "
        f"{primary.request.frame.height} patients; findings that name no patient are not in this.",
    )  # fmt: skip
    yield from variant(
        planned, primary.context, "WITHOUT_ERRORS", "Without patients with open errors",
        lambda frame: frame.filter(~pl.col(PATIENT).is_in(ids)),
    )  # fmt: skip
