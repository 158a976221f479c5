"""Cox models of a plan: the primary one, and beside it what it would be otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import ALL, Estimate, within
from reports.displays.model_diagnostics import diagnostics
from reports.displays.model_fit import (
    Fitted,
    Request,
    fitted,
    primary_request,
    used_names,
)
from reports.displays.model_late import late_models
from reports.displays.model_rows import contrasts, counts, effects, penalized, whole
from reports.displays.model_sensitivity import sensitivity
from reports.displays.model_warnings import told_once, warnings

if TYPE_CHECKING:
    from schemas.spec.plan import CoxModel


def estimates(planned: CoxModel, context: Context) -> Iterator[Estimate]:
    """Rows of a display of models; `population` names the model, ALL the primary one."""
    request = primary_request(planned, context, planned.terms)
    request = replace(request, label=_primary_label(planned, context))
    primary = fitted(planned, context, request)
    yield from _in_full(primary)
    yield from contrasts(primary)
    yield from told_once(primary)
    for other in _replaced(planned, context, request):
        yield from _in_full(fitted(planned, context, other))
    for other in _other_errors(planned, context, request):
        model = fitted(planned, context, other)
        yield from effects(model, tests=False)
        yield from counts(model)
        yield from whole(model)
        yield from warnings(model)
    yield from late_models(primary, planned)
    if planned.diagnostics:
        yield from diagnostics(primary)
    if planned.sensitivity:
        yield from sensitivity(primary, planned)


def _in_full(model: Fitted) -> Iterator[Estimate]:
    yield from effects(model)
    yield from penalized(model)
    yield from counts(model)
    yield from whole(model)
    yield from warnings(model)


def _primary_label(planned: CoxModel, context: Context) -> str:
    if not planned.replace:
        return "Primary model"
    return "; ".join(_how(context, name) for name in planned.replace)


def _how(context: Context, name: str) -> str:
    """A variable by what tells it from others of its label: its cut, or that it is a number."""
    variable = context.variable(name)
    if variable.levels:
        return f"Cut {variable.cut_from}" if variable.cut_from else variable.label
    return f"Continuous ({variable.unit or 'as measured'})"


def _replaced(planned: CoxModel, context: Context, request: Request) -> Iterator[Request]:
    for name, others in planned.replace.items():
        for other in others:
            terms = tuple(other if term == name else term for term in planned.terms)
            code, label = f"{ALL}|{other}", _how(context, other)
            yield replace(request, terms=terms, code=code, label=label)


def _other_errors(planned: CoxModel, context: Context, request: Request) -> Iterator[Request]:
    if name := planned.stratified_by:
        label = f"Stratified by {within(context.variable(name).label)}"
        terms = tuple(term for term in request.terms if term != name)
        yield replace(request, terms=terms, code="STRATIFIED", label=label, strata=name)
    if name := planned.clustered_by:
        label = f"Errors robust by {within(context.variable(name).label)}"
        yield replace(request, code="CLUSTERED", label=label, cluster=name)


def subjects(planned: CoxModel, context: Context) -> pl.DataFrame:
    """The patients of the primary model: with an event, censored, or left out."""
    request = primary_request(planned, context, planned.terms)
    used = request.frame.drop_nulls(list(used_names(request))).select("USUBJID", "event")
    level = pl.when(pl.col("event")).then(pl.lit("event")).otherwise(pl.lit("censored"))
    return (
        context.chosen(planned.where)
        .select("USUBJID")
        .join(used, on="USUBJID", how="left")
        .select(
            display=pl.lit(planned.id),
            population=pl.lit(ALL),
            row=pl.lit("N"),
            level=pl.when(pl.col("event").is_null()).then(pl.lit("excluded")).otherwise(level),
            usubjid="USUBJID",
        )
    )
