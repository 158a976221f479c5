"""Whether a plan fits the patients it is applied to: columns, kinds of variables, levels that differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import Estimate
from reports.selfaudit.counts import UNPLACED
from schemas.errors import StudyError
from schemas.spec.base import listed, nearest
from schemas.spec.plan import names_of

if TYPE_CHECKING:
    from schemas.spec.plan import AnyDisplay, Plan

GROUPING = ("by", "subgroups", "treatment", "shares", "stratified_by")
# Without a level in these, a display holds nobody.
EMPTIED = ("by", "treatment", "terms", "stratified_by", "where")
NEEDED = (*EMPTIED, "subgroups")
SHOWN = 20
MOST_CODES, LONGEST_CODE = 10, 12  # values that are named on the terminal


def used_variables(plan: Plan, displays: tuple[AnyDisplay, ...] | None = None) -> list[str]:
    """The variables that displays name, in the order of the plan."""
    named = {
        name
        for display in (plan.displays if displays is None else displays)
        for key, name in names_of(display)
        if key not in ("endpoint", "medians")
    }
    return [name for name in plan.variables if name in named]


def check_columns(plan: Plan, adsl: pl.DataFrame) -> None:
    """Refuses a plan whose displays name variables that adsl has no column for.

    Raises:
        StudyError: Names every such variable with its column and the nearest column that is there.
    """
    absent = [
        f"variable '{name}': adsl has no column '{column}'.{nearest(column, adsl.columns)}"
        for name in used_variables(plan)
        if (column := plan.variables[name].column or name) not in adsl.columns
    ]
    if absent:
        raise StudyError(
            "The analysis plan does not fit the data:\n" + "\n".join(absent[:SHOWN]),
            fix="correct 'column' of these variables; docs/tables.md and docs/analysis.md list the columns",
        )


def check_groups(context: Context) -> None:
    """Refuses what no report can be made of: groups of a number, numbers of text, groups of nobody.

    Raises:
        StudyError: Names display, key and variable; never a value.
    """
    plan, adsl = context.plan, context.data.adsl
    wrong = [
        f"display '{display.id}', {key}: '{name}' is a number and makes no groups"
        for display in plan.displays
        for key, name in names_of(display)
        if key in GROUPING
        and not plan.variables[name].levels
        and (column := plan.variables[name].column or name) in adsl.columns
        and adsl.schema[column].is_numeric()
    ]
    if wrong:
        raise StudyError(
            "The analysis plan does not fit the data:\n" + "\n".join(wrong[:SHOWN]),
            fix="give the variable 'levels', or 'cut' it into two",
        )
    if texts := [*_cuts_of_text(plan, adsl), *_numbers_of_text(plan, adsl)]:
        raise StudyError(
            "The analysis plan does not fit the data:\n" + "\n".join(texts[:SHOWN]),
            fix="give 'levels' or 'recode' to a variable that is text; docs/analysis-plan.md explains them",
        )
    check_levels(context, least=plan.small_group)


def _cuts_of_text(plan: Plan, adsl: pl.DataFrame) -> Iterator[str]:
    """Variables that are cut although their column holds something else than numbers."""
    for name in used_variables(plan):
        column = plan.variables[name].column or name
        if plan.variables[name].cut is not None and not _is_numeric(adsl, column):
            yield f"variable '{name}': column '{column}' is no number and cannot be cut"


def _numbers_of_text(plan: Plan, adsl: pl.DataFrame) -> Iterator[str]:
    """Displays that summarize as numbers what is none."""
    for display in plan.displays:
        for key, name in names_of(display):
            variable = plan.variables.get(name)
            if key != "numbers" or variable is None:
                continue
            if variable.levels or not _is_numeric(adsl, variable.column or name):
                yield f"display '{display.id}', numbers: '{name}' is no number"


def _is_numeric(adsl: pl.DataFrame, column: str) -> bool:
    """Whether all values that a column holds are numbers; a column that is not there holds none."""
    if column not in adsl.columns or adsl.schema[column].is_numeric():
        return True
    values = adsl[column].drop_nulls()
    return values.cast(pl.Float64, strict=False).null_count() == 0


def check_levels(context: Context, *, least: int = 0) -> None:
    """Refuses a variable that makes groups or a term of a model where no patient has any of its levels.

    Args:
        context: Plan and patients.
        least: Known values of the column from which that is the plan's fault: a study may begin with few
            patients, and its next delivery bring others. 0: also where no patient has a value at all.

    Raises:
        StudyError: Names variable, column and levels of the plan, and how many patients have another value.
    """
    plan, patients = context.plan, context.patients
    if not patients.height:
        return
    wrong = []
    for name in _in_uses(plan, NEEDED):
        levels, column = context.variable(name).levels, plan.variables[name].column or name
        values = context.data.adsl.get_column(column, default=None)
        if not levels or values is None or patients[name].cast(pl.String).is_in(list(levels)).any():
            continue
        known = values.drop_nulls().len()
        if known >= max(least, 1) or (not least and name in _in_uses(plan, EMPTIED)):
            has = f"{known} of {patients.height} have another value" if known else "it is empty"
            codes = [*plan.variables[name].recode] or [*levels]
            wrong.append(
                f"variable '{name}': no patient has {listed(codes)} in column '{column}'; {has}"
            )
    if wrong:
        raise StudyError(
            "The analysis plan does not fit the data:\n" + "\n".join(wrong[:SHOWN]),
            fix="write the codes of 'levels' (or 'recode') as the column has them, capitals and zeros included",
        )


def _in_uses(plan: Plan, keys: tuple[str, ...]) -> list[str]:
    """The variables that displays name under these keys, in the order of the plan."""
    named = {name for display in plan.displays for key, name in names_of(display) if key in keys}
    return [name for name in plan.variables if name in named]


def level_warnings(context: Context) -> Iterator[str]:
    """Sentences for the terminal: levels of the plan that nobody has, and values that no level names.

    Values are named where they look like codes; otherwise their number is.
    """
    plan, patients = context.plan, context.patients
    for name in used_variables(plan):
        levels = context.variable(name).levels
        counted = dict(patients[name].cast(pl.String).drop_nulls().value_counts().iter_rows())
        empty = [code for code in levels if code not in counted]
        if levels and empty:
            whom = f"none of {patients.height} patients has level {listed(empty)} of the plan"
            yield f"{_label(context, name)}: {whom}."
        others = {value: n for value, n in counted.items() if value not in levels}
        if levels and others:
            codes = "a value that"
            if len(others) <= MOST_CODES and all(len(value) <= LONGEST_CODE for value in others):
                codes = f"{listed(sorted(others))}, which"
            text = f"{_patients(sum(others.values()))} {codes} the plan does not declare"
            yield f"{_label(context, name)}: {text}."
        yield from _not_recoded(context, name)


def _not_recoded(context: Context, name: str) -> Iterator[str]:
    """Values that a recode leaves out: they are unknown in every display."""
    variable = context.plan.variables[name]
    values = context.data.adsl.get_column(variable.column or name, default=None)
    if not variable.recode or variable.cut is not None or values is None:
        return
    number = int((~values.cast(pl.String).drop_nulls().is_in(list(variable.recode))).sum())
    if number:
        has = _patients(number)
        yield f"{_label(context, name)}: {has} a value that 'recode' does not name; it counts as unknown."


def differences(context: Context) -> Iterator[Estimate]:
    """Sentences of METHODS: levels that no patient has, values that are no level, unknown groups."""
    plan, patients = context.plan, context.patients
    yield _told(
        "thresholds",
        f"Few events: fewer than {plan.early_events} behind an estimate. Small group: fewer than"
        f" {plan.small_group} patients. What rests on either is descriptive only.",
    )
    used = {n for d in plan.displays for key, n in names_of(d) if key in ("endpoint", "medians")}
    present = {*context.data.adtte["PARAMCD"], *context.data.exclusion["PARAMCD"]}
    for name in plan.endpoints:
        if name in used and name not in present:
            yield _told(
                f"endpoint_{name}",
                f"{plan.endpoints[name].label} ({name}): adtte has no such rows.",
            )
    grouping = {
        name for display in plan.displays for key, name in names_of(display) if key in ("by",)
    }
    for name in used_variables(plan):
        levels = context.variable(name).levels
        if not levels:
            continue
        values = patients[name].cast(pl.String)
        counted = dict(values.drop_nulls().value_counts().iter_rows())
        empty = [label for code, label in levels.items() if code not in counted]
        if empty:
            yield _told(
                f"levels_{name}", f"{_label(context, name)}: no patient has {listed(empty)}."
            )
        others = {value: n for value, n in counted.items() if value not in levels}
        if others:
            number = sum(others.values())
            text = (
                f"{_label(context, name)}: {_patients(number)} the values {listed(sorted(others))}, which"
                " the plan does not declare; tables show them beside the levels, curves and models leave"
                " them out."
            )
            column = plan.variables[name].column or name
            yield _told(f"undeclared_{name}", text, number if name in grouping else None, column)
        unknown = values.null_count()
        if unknown and name in grouping:
            text = (
                f"{_label(context, name)}: not known in {unknown} of {patients.height} patients; where it makes"
                " the groups, they are in none of them."
            )
            yield _told(f"unknown_{name}", text, unknown)


def _label(context: Context, name: str) -> str:
    return f"{context.variable(name).label} ({name})"


def _patients(number: int) -> str:
    return "1 patient has" if number == 1 else f"{number} patients have"


def _told(row: str, text: str, unplaced: int | None = None, column: str | None = None) -> Estimate:
    return Estimate(
        display="METHODS", row=row, statistic="text" if unplaced is None else UNPLACED,
        value=None if unplaced is None else float(unplaced), n=unplaced, text=text,
        method=column,
    )  # fmt: skip
