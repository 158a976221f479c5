"""What must be said beside a Cox model; rows WARNING, one a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.estimate import ALL, Estimate, number_text, within
from reports.displays.late_levels import guarantee_time
from reports.displays.model_fit import EVENT, MOST_PENALIZED, PATIENT, Fitted
from reports.displays.model_rows import common
from schemas.spec.plan import MODELLED, names_of

if TYPE_CHECKING:
    from reports.displays.model_fit import Modelled

ENOUGH_CLUSTERS = 30


def warnings(model: Fitted) -> Iterator[Estimate]:
    """All that applies to a model."""
    found = {
        "NOT_FITTED": model.why_not and f"The model is not estimable: {model.why_not}.",
        "FEW_EVENTS": _few_events(model),
        "NO_EVENT": _no_event(model),
        "EMPTY_LEVEL": _empty_levels(model),
        "CONSTANT": _constant(model),
        "SMALL_LEVEL": _small_levels(model),
        "CLUSTERS": _clusters(model),
        "COMPETING": _competing(model),
    }
    yield from (_row(model, code, text) for code, text in found.items() if text)


def told_once(model: Fitted) -> Iterator[Estimate]:
    """What holds of a display and is said of its primary model only."""
    for name in model.request.terms:
        if text := _merged(model, name):
            yield _row(model, f"MERGED_{name}", text)
        if text := _undeclared(model, name):
            yield _row(model, f"UNDECLARED_{name}", text)
    planned = model.planned
    if text := guarantee_time(_of_display(planned), model.context, "this model"):
        has_late = planned.kind == "model" and (planned.landmarks_months or planned.time_dependent)
        beside = " Read it beside the landmark and time-dependent models." if has_late else ""
        yield _row(model, "GUARANTEE_TIME", text + beside)


def _of_display(planned: Modelled) -> list[str]:
    """The variables of all models of a display, and those that choose its patients."""
    return [name for key, name in names_of(planned) if key in (*MODELLED, "where")]


def said(model: Fitted, code: str, text: str) -> Estimate:
    """A sentence beside a model."""
    return _row(model, code, text)


def _row(model: Fitted, code: str, text: str) -> Estimate:
    return Estimate(
        **common(model), row="WARNING", row_label="Caution", level=code, statistic="text", text=text
    )


def _few_events(model: Fitted) -> str:
    ratio, floor = model.per_parameter, model.context.plan.early_events
    if ratio is None or ratio >= floor or model.fit is None:
        return ""
    return (
        f"Few events: {model.events} for {_many(model.fit.df, 'parameter')} ({number_text(ratio, 1)} per "
        f"parameter, fewer than {floor}); hazard ratios may be far off."
    )


def _named(model: Fitted, fits: dict[str, list[str]]) -> str:
    return "; ".join(
        f"{model.context.variable(name).label}: {', '.join(labels)}"
        for name, labels in fits.items()
        if labels
    )


def _no_event(model: Fitted) -> str:
    found: dict[str, list[str]] = {}
    for name, levels in model.levels.items():
        counted = model.counted(name)
        found[name] = [label for code, label in levels.items() if counted[code][1] == 0]
    named = "" if model.fit is None else _named(model, found)
    if not named:
        return ""
    if model.fit is None or not model.fit.maximum.infinite.any():
        return f"No event in {named}."
    return f"No event in {named}. The hazard ratio has no finite estimate. {_penalized(model)}"


def _penalized(model: Fitted) -> str:
    """Where the penalized estimate is, or why there is none."""
    if model.penalized is not None:
        if model.why_not_penalized:
            return f"Nor is there a penalized one (Firth): {model.why_not_penalized}."
        return "The penalized one (Firth) stands beside it."
    if model.request.code.split("|")[0] != ALL:
        return "The penalized one is computed for the primary model only."
    return f"The penalized one is not computed with more than {MOST_PENALIZED} rows."


def _empty_levels(model: Fitted) -> str:
    found = {}
    for name, levels in model.levels.items():
        declared = model.context.variable(name).levels
        empty = [label for code, label in declared.items() if code not in levels]
        if empty and levels and next(iter(declared)) not in levels:
            empty.append(f"the reference is {next(iter(levels.values()))} instead")
        found[name] = empty
    named = _named(model, found)
    return f"No patient in {named}." if named and model.rows.height else ""


def _constant(model: Fitted) -> str:
    names = [
        model.context.variable(name).label
        for name in model.request.terms
        if name not in model.terms and model.rows.height
    ]
    return (
        f"Left out of the model, the same in all its patients: {', '.join(names)}." if names else ""
    )


def _small_levels(model: Fitted) -> str:
    plan = model.context.plan
    found: dict[str, list[str]] = {}
    for name, levels in model.levels.items():
        counted = model.counted(name)
        found[name] = [
            f"{label} ({_many(counted[code][0], 'patient')}, {_many(counted[code][1], 'event')})"
            for code, label in levels.items()
            if counted[code][0] < plan.small_group or counted[code][1] < plan.early_events
        ]
    named = _named(model, found)
    return (
        f"Descriptive only, fewer than {plan.small_group} patients or {plan.early_events} events: {named}."
        if named
        else ""
    )


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _clusters(model: Fitted) -> str:
    if not model.request.cluster or model.fit is None:
        return ""
    number = model.rows[model.request.cluster].n_unique()
    label = within(model.context.variable(model.request.cluster).label)
    if model.fit.few_clusters:
        return (
            f"{_many(number, 'cluster')} ({label}) for {_many(model.fit.df, 'parameter')}: robust errors cannot tell "
            "the coefficients apart and mislead."
        )
    if number < ENOUGH_CLUSTERS:
        return (
            f"{_many(number, 'cluster')} ({label}), fewer than {ENOUGH_CLUSTERS}: robust errors are too small "
            "on average, intervals too narrow."
        )
    return ""


def _competing(model: Fitted) -> str:
    competing = model.context.endpoint(model.planned.endpoint).competing
    return f"Cause-specific hazard: {competing} ends the time at risk." if competing else ""


def _undeclared(model: Fitted, name: str) -> str:
    """Patients whose value is none of the levels."""
    context, variable = model.context, model.context.variable(name)
    if not variable.levels:
        return ""
    chosen = context.chosen(model.planned.where)
    number = chosen.filter(~pl.col(name).is_in(list(variable.levels))).height
    return (
        f"{variable.label}: {_many(number, 'patient')} with a value that the plan does not name, left out."
        if number
        else ""
    )


def _merged(model: Fitted, name: str) -> str:
    """That a level holds several values of the data, of which some have no event."""
    variable = model.context.variable(name)
    column = variable.column or name
    adsl = model.context.data.adsl
    if not variable.recode or column not in adsl.columns:
        return ""
    values = adsl.select(PATIENT, value=pl.col(column).cast(pl.String))
    counted = (
        model.rows.select(PATIENT, EVENT)
        .join(values, on=PATIENT, how="left")
        .group_by("value")
        .agg(n=pl.len(), events=pl.col(EVENT).sum())
    )
    found = {value: (n, events) for value, n, events in counted.iter_rows()}
    sentences = []
    for code, label in variable.levels.items():
        parts = [value for value, to in variable.recode.items() if to == code]
        empty = [v for v in parts if v in found and found[v][1] == 0]
        if len(parts) > 1 and empty:
            event = model.context.endpoint(model.planned.endpoint).event
            happened = sum(found[v][1] for v in parts if v in found)
            whole = "whose hazard can be estimated" if happened else "in which nobody has it either"
            of = " and ".join(f"{v} (none of {found[v][0]})" for v in empty)
            sentences.append(
                f"No {event} in {of}: the plan joins {' and '.join(parts)} to one level ({label}), "
                f"{whole}."
            )
    return " ".join(sentences)
