"""A model and the medians once more, on other patients, times or terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import NOT_REACHED, Estimate, interval_text, number_text
from reports.displays.model_fit import fitted, primary_request
from reports.displays.model_rows import effects
from reports.displays.model_warnings import said, warnings
from reports.displays.summary import FEW, SMALL
from reports.stats.kaplan_meier import kaplan_meier
from schemas.spec.plan import GROUP, CoxModel

MEDIANS = ("OS", "PFS")
METHOD = "Kaplan-Meier, months; 95% confidence interval by Brookmeyer and Crowley, log transform"
SERIOUS = ("NOT_FITTED", "NO_EVENT", "EMPTY_LEVEL", "CONSTANT")
Keep = Callable[[pl.DataFrame], pl.DataFrame]


def everybody(frame: pl.DataFrame) -> pl.DataFrame:
    """All patients."""
    return frame


def variant(
    planned: CoxModel,
    context: Context,
    code: str,
    label: str,
    keep: Keep,
    terms: tuple[str, ...] | None = None,
    change: str = "",
) -> Iterator[Estimate]:
    """Hazard ratios, patients, what is serious, and medians of one variant of a model.

    Args:
        planned: The model.
        context: Its patients and times.
        code: `population` of the rows.
        label: Of the variant.
        keep: Which of the patients.
        terms: Instead of those of the model.
        change: A sentence on what is another one.
    """
    request = primary_request(planned, context, terms or planned.terms)
    frame = keep(request.frame)
    candidates = keep(context.chosen(planned.where)).height
    model = fitted(
        planned,
        context,
        replace(request, frame=frame, candidates=candidates, code=code, label=label),
    )
    yield from effects(model, tests=False)
    yield Estimate(
        display=planned.id, endpoint=planned.endpoint, population=code, population_label=label,
        row="N", row_label="Patients in the model", statistic="n", value=float(model.n), n=model.n,
        events=model.events, text=str(model.n),
    )  # fmt: skip
    if change:
        yield said(model, "CHANGED", change)
    yield from (row for row in warnings(model) if row.level in SERIOUS)
    yield from medians(planned, context, code, label, keep)


def medians(
    planned: CoxModel, context: Context, code: str, label: str, keep: Keep
) -> Iterator[Estimate]:
    """Medians of the model's endpoint, OS and PFS: of all patients (MEDIAN) and by group (MEDIAN_GROUP)."""
    names = dict.fromkeys([planned.endpoint, *MEDIANS])
    groups = context.variable(GROUP).levels if GROUP in context.plan.variables else {}
    for name in (name for name in names if name in context.plan.endpoints):
        frame = keep(context.times(name, planned.where))
        endpoint = context.endpoint(name).label
        shared: dict[str, Any] = {
            "display": planned.id, "endpoint": name, "population": code, "population_label": label,
            "row_label": f"Median, {endpoint.lower()}", "statistic": "median",
        }  # fmt: skip
        yield Estimate(
            **shared, row="MEDIAN", level=name, level_label=endpoint, **_median(frame, context)
        )
        for group, group_label in groups.items():
            part = frame.filter(pl.col(GROUP) == group)
            found = _median(part, context)
            found["text"] += _marks(context, found["n"], found["events"])
            yield Estimate(
                **shared,
                row="MEDIAN_GROUP",
                level=f"{name}|{group}",
                level_label=group_label,
                **found,
            )


def _median(frame: pl.DataFrame, context: Context) -> dict[str, Any]:
    if not frame.height:
        return {"n": 0, "events": 0, "text": "no patients"}
    curve = kaplan_meier(frame["days"].to_numpy(), frame["event"].to_numpy(), conf_type="log")
    found = curve.median
    value, lower, upper = (context.months(d) for d in (found.value, found.lower, found.upper))
    shown = NOT_REACHED if value is None else number_text(value, 1)
    return {
        "value": value, "lower": lower, "upper": upper, "n": curve.n, "events": curve.events,
        "method": METHOD, "text": f"{shown} ({interval_text(lower, upper, 1)})",
    }  # fmt: skip


def _marks(context: Context, n: int, events: int) -> str:
    """Signs of few events and of a small group, as in the summary of the text."""
    if not n:
        return ""
    few = FEW if events < context.plan.early_events else ""
    return f" {few}{SMALL if n < context.plan.small_group else ''}".rstrip()
