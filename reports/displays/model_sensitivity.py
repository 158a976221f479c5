"""A model and the medians again: other completions of dates, a center less, without patients with errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import NOT_REACHED, Estimate, interval_text, number_text
from reports.displays.group_sizes import LABELS
from reports.displays.model_fit import PATIENT, Fitted, fitted, primary_request
from reports.displays.model_rows import effects
from reports.displays.model_warnings import said, warnings
from reports.stats.kaplan_meier import kaplan_meier
from schemas.spec.plan import CoxModel

CENTER = "SITEID"
MEDIANS = ("OS", "PFS")
COMPLETION_LABELS = {
    "EARLIEST": "Partial dates at their earliest",
    "LATEST": "Partial dates at their latest",
}
# Settings that move patients between groups and leave their times alone.
GROUPINGS = ("dual_bispecific", "celmod_group", "novel_partner_group")
Keep = Callable[[pl.DataFrame], pl.DataFrame]


def sensitivity(primary: Fitted, planned: CoxModel) -> Iterator[Estimate]:
    """Rows of all that can be computed, and sentences on what cannot."""
    context = primary.context
    yield from _medians(planned, context, primary.request.code, primary.request.label, _all)
    yield from _completions(primary, planned)
    yield from _without_errors(primary, planned)
    for center in _centers(context):
        yield from _variant(
            planned, context, f"WITHOUT_{center}", f"Without center {center}", _without(center)
        )
    if len(_centers(context)) < 2:
        yield said(
            primary,
            "NOT_RUN_CENTERS",
            "Each center left out: not run, there is one center or none is named.",
        )
    yield from _settings(primary)


def _centers(context: Context) -> list[str]:
    """The centers of the patients, none if there is only one."""
    if CENTER not in context.patients.columns:
        return []
    found = context.patients[CENTER].cast(pl.String).drop_nulls().unique().sort().to_list()
    return found if len(found) > 1 else []


def _all(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


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
        yield from _variant(planned, completed(context, completion), completion, label, _all)
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
    yield from _variant(
        planned, primary.context, "WITHOUT_ERRORS", "Without patients with open errors",
        lambda frame: frame.filter(~pl.col(PATIENT).is_in(ids)),
    )  # fmt: skip


def _variant(
    planned: CoxModel, context: Context, code: str, label: str, keep: Keep
) -> Iterator[Estimate]:
    request = primary_request(planned, context, planned.terms)
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
    serious = ("NOT_FITTED", "NO_EVENT", "EMPTY_LEVEL", "CONSTANT")
    yield from (row for row in warnings(model) if row.level in serious)
    yield from _medians(planned, context, code, label, keep)


def _medians(
    planned: CoxModel, context: Context, code: str, label: str, keep: Keep
) -> Iterator[Estimate]:
    names = dict.fromkeys([planned.endpoint, *MEDIANS])
    for name in (name for name in names if name in context.plan.endpoints):
        frame = keep(context.times(name, planned.where))
        shared: dict[str, Any] = {
            "display": planned.id, "endpoint": name, "population": code, "population_label": label,
            "row": "MEDIAN", "row_label": f"Median, {context.endpoint(name).label.lower()}",
            "level": name, "level_label": context.endpoint(name).label, "statistic": "median",
        }  # fmt: skip
        if not frame.height:
            yield Estimate(**shared, n=0, events=0, text="no patients")
            continue
        curve = kaplan_meier(frame["days"].to_numpy(), frame["event"].to_numpy(), conf_type="log")
        found = curve.median
        value, lower, upper = (context.months(d) for d in (found.value, found.lower, found.upper))
        shown = NOT_REACHED if value is None else number_text(value, 1)
        yield Estimate(
            **shared, value=value, lower=lower, upper=upper, n=curve.n, events=curve.events,
            method="Kaplan-Meier, months; 95% confidence interval by Brookmeyer and Crowley, log transform",
            text=f"{shown} ({interval_text(lower, upper, 1)})",
        )  # fmt: skip


def _settings(primary: Fitted) -> Iterator[Estimate]:
    """What alternative settings would do, as far as the warehouse tells."""
    rows = primary.context.data.group_sizes
    if not rows:
        yield said(
            primary, "NOT_RUN_SETTINGS",
            "Alternative settings: not run, the warehouse holds no sizes of the groups under them.",
        )  # fmt: skip
        return
    moved: dict[tuple[str, str], int] = {}
    for row in rows:
        if row["chosen"] != "Y":
            key = (row["setting"], row["value"])
            moved[key] = moved.get(key, 0) + row["n_joined"]
    same = [_setting(s, v) for (s, v), n in moved.items() if s in GROUPINGS and not n]
    if same:
        yield said(
            primary, "SAME_SETTINGS",
            f"No patient changes group, so every number stays as it is, with: {'; '.join(same)}.",
        )  # fmt: skip
    others = [
        f"{_setting(s, v)} ({n} change group)"
        for (s, v), n in moved.items()
        if n or s not in GROUPINGS
    ]
    if others:
        yield said(
            primary, "NOT_RUN_SETTINGS",
            "Not run, because the warehouse holds the sizes of the groups under these settings and not the "
            f"times: {'; '.join(others)}. Run the study with the setting to see them.",
        )  # fmt: skip


def _setting(setting: str, value: str) -> str:
    return f"{LABELS.get(setting, setting).lower()}: {value}"
