"""Hazard ratio of one variable in every subgroup, and whether it differs between subgroups.

`row` is the subgroup variable (OVERALL: all patients), `level` its level, `population` an arm or ALL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import Estimate, p_text
from reports.displays.late_levels import guarantee_time
from reports.displays.model_fit import DAYS, EVENT, with_known_levels
from reports.displays.model_rows import ratio_text
from reports.stats.exact.adjust import adjusted
from reports.stats.hazards.compare import drop_one
from reports.stats.hazards.fit import ESTIMATED
from reports.stats.hazards.model import cox

if TYPE_CHECKING:
    from schemas.spec.plan import Forest

OVERALL = "OVERALL"
METHOD = "Cox model of this subgroup alone, Efron's ties; 95% confidence interval and P by Wald"
INTERACTION = (
    "Likelihood ratio test of the interaction, Cox model of all patients with a known subgroup"
)
DESCRIPTIVE = "descriptive only"


@dataclass(frozen=True)
class Arms:
    """The two levels that are compared and the patients who have one of them."""

    planned: Forest
    context: Context
    patients: pl.DataFrame
    codes: tuple[str, str]  # reference, treatment
    labels: tuple[str, str]


def estimates(planned: Forest, context: Context) -> Iterator[Estimate]:
    """Rows of a forest: overall, then every subgroup variable."""
    variable = context.variable(planned.treatment)
    chosen = context.chosen(planned.where)
    times = _times(planned, context)
    if len(variable.levels) != 2:
        yield _words(planned, f"Not estimable: {variable.label} has not exactly two levels.")
        return
    (reference, reference_label), (treated, treated_label) = variable.levels.items()
    patients = times.drop_nulls(planned.treatment)
    arms = Arms(planned, context, patients, (reference, treated), (reference_label, treated_label))
    yield from _left_out(arms, chosen.height - times.height, times.height - patients.height)
    yield from _subgroup(arms, patients, OVERALL, "All patients", None, None)
    found: dict[str, float | None] = {}
    for name in planned.subgroups:
        yield from _by_level(arms, name)
        rows = list(_interaction(arms, name))
        found[name] = rows[0].p
        yield from rows
    yield from _holm(arms, found)
    names = (planned.treatment, *planned.subgroups, *planned.where)
    if late := guarantee_time(names, context, "this comparison"):
        yield _words(planned, late)
    if competing := context.endpoint(planned.endpoint).competing:
        yield _words(planned, f"Cause-specific hazard: {competing} ends the time at risk.")


def _times(planned: Forest, context: Context) -> pl.DataFrame:
    names = (planned.treatment, *planned.subgroups)
    return with_known_levels(context.times(planned.endpoint, planned.where), context, names)


def _words(planned: Forest, text: str) -> Estimate:
    return Estimate(
        display=planned.id, endpoint=planned.endpoint, row="WARNING", row_label="Caution",
        statistic="text", text=text,
    )  # fmt: skip


def _left_out(arms: Arms, without_time: int, without_arm: int) -> Iterator[Estimate]:
    label = arms.context.variable(arms.planned.treatment).label
    reasons = {
        "TIME": ("Time cannot be told", without_time),
        "TREATMENT": (f"{label} not known", without_arm),
    }
    for code, (text, number) in reasons.items():
        yield Estimate(
            display=arms.planned.id, endpoint=arms.planned.endpoint, row="DROPPED",
            row_label="Patients left out", level=code, level_label=text, statistic="n",
            value=float(number), n=number, text=str(number),
        )  # fmt: skip


def _by_level(arms: Arms, name: str) -> Iterator[Estimate]:
    variable = arms.context.variable(name)
    cut = f"; cut {variable.cut_from}" if variable.cut_from else ""
    for code, label in variable.levels.items():
        members = arms.patients.filter(pl.col(name) == code)
        yield from _subgroup(arms, members, name, variable.label + cut, code, label)
    unknown = arms.patients[name].null_count()
    yield Estimate(
        display=arms.planned.id, endpoint=arms.planned.endpoint, row=name, row_label=variable.label + cut,
        statistic="n_missing", value=float(unknown), n=unknown,
        text=str(unknown),
    )  # fmt: skip


def _subgroup(
    arms: Arms, members: pl.DataFrame, row: str, row_label: str, level: str | None,
    level_label: str | None,
) -> Iterator[Estimate]:  # fmt: skip
    shared: dict[str, Any] = {
        "display": arms.planned.id, "endpoint": arms.planned.endpoint, "row": row,
        "row_label": row_label, "level": level, "level_label": level_label,
    }  # fmt: skip
    counted = _counted(arms, members)
    yield _ratio(arms, members, counted, shared)
    for code, label in zip(arms.codes, arms.labels, strict=True):
        n, events = counted[code]
        yield Estimate(
            **shared, population=code, population_label=label, statistic="n", value=float(n), n=n,
            events=events, text=f"{events}/{n}",
        )  # fmt: skip


def _counted(arms: Arms, members: pl.DataFrame) -> dict[str, tuple[int, int]]:
    name = arms.planned.treatment
    found = members.group_by(name).agg(n=pl.len(), events=pl.col(EVENT).sum())
    known = {code: (n, events) for code, n, events in found.iter_rows()}
    return {code: known.get(code, (0, 0)) for code in arms.codes}


def _ratio(
    arms: Arms, members: pl.DataFrame, counted: dict[str, tuple[int, int]], shared: dict[str, Any]
) -> Estimate:
    n = sum(size for size, _ in counted.values())
    events = sum(number for _, number in counted.values())
    shared = {**shared, "statistic": "hr", "n": n, "events": events}
    if reason := _not_estimable(arms, counted):
        return Estimate(**shared, method=METHOD, text=f"NE: {reason}")
    fit = cox(
        members, arms.planned.treatment, time=DAYS, event=EVENT,
        levels={arms.planned.treatment: arms.codes},
    )  # fmt: skip
    found = fit.table().row(0, named=True)
    if found["status"] != ESTIMATED:
        return Estimate(**shared, method=METHOD, text="NE: the arms do not overlap in time")
    numbers = (found["hr"], found["hr_lower"], found["hr_upper"])
    plan = arms.context.plan
    few = any(
        size < plan.small_group or number < plan.early_events for size, number in counted.values()
    )
    return Estimate(
        **shared, value=numbers[0], lower=numbers[1], upper=numbers[2], p=found["p"],
        method=f"{METHOD}; {DESCRIPTIVE}" if few else METHOD,
        text=ratio_text(*numbers) + (" †" if few else ""),
    )  # fmt: skip


def _not_estimable(arms: Arms, counted: dict[str, tuple[int, int]]) -> str:
    """Why a level has no hazard ratio, empty if it has one."""
    events = sum(number for _, number in counted.values())
    for code, label in zip(arms.codes, arms.labels, strict=True):
        if not counted[code][0]:
            return f"no patient, {label}"
    floor = arms.context.plan.early_events
    if events < floor:
        return f"fewer than {floor} events"
    for code, label in zip(arms.codes, arms.labels, strict=True):
        if not counted[code][1]:
            return f"no event, {label}"
    return ""


def _interaction(arms: Arms, name: str) -> Iterator[Estimate]:
    variable = arms.context.variable(name)
    shared: dict[str, Any] = {
        "display": arms.planned.id, "endpoint": arms.planned.endpoint, "row": name,
        "row_label": variable.label, "statistic": "p_interaction",
    }  # fmt: skip
    rows = arms.patients.drop_nulls(name)
    present = [code for code in variable.levels if code in set(rows[name].to_list())]
    reason = ""
    if not variable.levels:
        reason = "a number has no subgroups"
    elif len(present) < 2:
        reason = "one subgroup"
    elif rows[EVENT].sum() < arms.context.plan.early_events:
        reason = f"fewer than {arms.context.plan.early_events} events"
    if reason:
        yield Estimate(**shared, method=INTERACTION, text=f"not estimable: {reason}")
        return
    treatment = arms.planned.treatment
    fit = cox(
        rows, f"{treatment} + {name} + {treatment}:{name}", time=DAYS, event=EVENT,
        levels={treatment: arms.codes, name: present},
    )  # fmt: skip
    test = drop_one(fit).row(by_predicate=pl.col("term") == f"{treatment}:{name}", named=True)
    if test["p"] is None:
        yield Estimate(**shared, method=INTERACTION, text="not estimable: an arm is missing")
        return
    yield Estimate(
        **shared, value=test["lrt"], p=test["p"], n=rows.height, events=int(rows[EVENT].sum()),
        method=f"{INTERACTION}, {test['df']} degrees of freedom", text=p_text(test["p"]),
    )  # fmt: skip


def _holm(arms: Arms, found: dict[str, float | None]) -> Iterator[Estimate]:
    tests = sum(p is not None for p in found.values())
    holm = adjusted([float("nan") if p is None else p for p in found.values()])
    for name, p in zip(found, holm, strict=True):
        if found[name] is None:
            continue
        yield Estimate(
            display=arms.planned.id, endpoint=arms.planned.endpoint, row=name,
            row_label=arms.context.variable(name).label, statistic="p_interaction_holm", p=float(p),
            method=f"{INTERACTION}, adjusted by Holm over {tests} variables", text=p_text(float(p)),
        )  # fmt: skip


def subjects(planned: Forest, context: Context) -> pl.DataFrame:
    """The patients of each arm in each subgroup."""
    patients = _times(planned, context).drop_nulls(planned.treatment)
    names = [name for name in planned.subgroups if context.variable(name).levels]
    members = [
        patients.select(
            row=pl.lit(row), level=level, population=planned.treatment, usubjid="USUBJID"
        )
        for row, level in [
            (OVERALL, pl.lit(None, dtype=pl.String)),
            *((name, pl.col(name)) for name in names),
        ]
    ]
    found = pl.concat(members).filter(pl.col("level").is_not_null() | (pl.col("row") == OVERALL))
    return found.select("population", "row", "level", "usubjid", display=pl.lit(planned.id))
