"""A model and the medians under each alternative of the study's decisions (dossier 0.3)."""

from __future__ import annotations

from collections.abc import Iterator

from reports.displays.alternatives import Alternative, under
from reports.displays.context import Context
from reports.displays.estimate import Estimate
from reports.displays.model_fit import Fitted
from reports.displays.model_variant import everybody, variant
from reports.displays.model_warnings import said
from schemas.spec.plan import CoxModel

# The columns of adsl that hold the two cut-offs of early relapse.
EARLY = ("EARLY3FL", "EARLY5FL")


def settings(primary: Fitted, planned: CoxModel) -> Iterator[Estimate]:
    """Rows of every alternative that changes something, and sentences on the others."""
    context = primary.context
    yield from _other_cut_off(primary, planned)
    others = context.data.models.alternatives
    if others is None:
        yield said(
            primary, "NOT_RUN_SETTINGS",
            "Alternative settings: not run, the warehouse holds no patients and times under them.",
        )  # fmt: skip
        return
    same = [other.label for other in others if other.is_same]
    if same:
        yield said(
            primary, "SAME_SETTINGS",
            "Unchanged: patients, groups and times are the same, so every number stays as it is, with "
            f"these settings. {'; '.join(same)}.",
        )  # fmt: skip
    for other in others:
        if not other.is_same:
            yield from variant(
                planned,
                under(context, other),
                other.code,
                other.label,
                everybody,
                change=_change(other),
            )


def _change(other: Alternative) -> str:
    parts = [
        f"Other values or groups: {other.n_changed} patients; other times, events or groups: "
        f"{other.n_times} rows of adtte, over all endpoints"
    ]
    if other.n_joined or other.n_left:
        parts.append(f"{other.n_joined} join the cohort, {other.n_left} leave it")
    return "; ".join(parts) + "."


def _other_cut_off(primary: Fitted, planned: CoxModel) -> Iterator[Estimate]:
    """The model with the other cut-off of early relapse, if one is a term of it."""
    context = primary.context
    for term in planned.terms:
        column = _column(context, term)
        if column not in EARLY:
            continue
        months = sorted(context.study.settings.early_relapse_months)
        place = 1 - EARLY.index(column)
        label = f"Early relapse: up to {months[place]:g} months"
        instead = [
            name
            for name, variable in context.plan.variables.items()
            if (variable.column or name) == EARLY[place] and name not in planned.terms
        ]
        if not instead:
            yield said(
                primary, "NOT_RUN_CUT_OFF",
                f"{label}: not run, the analysis plan has no variable with this cut-off.",
            )  # fmt: skip
            continue
        terms = tuple(instead[0] if name == term else name for name in planned.terms)
        code = f"SETTING|early_relapse_months|{months[place]:g}"
        yield from variant(planned, context, code, label, everybody, terms)


def _column(context: Context, term: str) -> str:
    variable = context.plan.variables.get(term)
    return (variable.column or term) if variable is not None else term
