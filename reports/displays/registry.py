"""Which module makes the estimates of which kind of display; one line a kind.

A module has `estimates(planned, context)` with rows of `analysis.estimate`, and may have
`subjects(planned, context)` with the patients behind them (columns of `SUBJECT`).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import Estimate

if TYPE_CHECKING:
    from schemas.spec.plan import AnyDisplay

MODULES = {
    "baseline": "baseline",
    "response": "response",
    "survival": "survival",
    "competing": "competing",
    "flow": "line_flow",
    "summary": "summary",
    "swimmer": "swimmer",
    "completeness": "completeness",
    "model": "model",
    "forest": "forest",
}
SUBJECT = pl.Schema(
    dict.fromkeys(("display", "population", "row", "level", "usubjid"), pl.String())
)


def planned_displays(context: Context) -> list[AnyDisplay]:
    """The displays of the plan in order."""
    return [display for display in context.plan.displays if display.kind in MODULES]


def estimates_of(planned: AnyDisplay, context: Context, number: int) -> Iterator[Estimate]:
    """The rows of one display; the first (`row` DISPLAY) names it, gives its place and says of whom it is."""
    yield Estimate(
        display=planned.id, row="DISPLAY", row_label=planned.heading, level=planned.kind,
        statistic="text", value=float(number), text=planned.note, endpoint=getattr(planned, "endpoint", None),
        method=subject_of(planned, context),
    )  # fmt: skip
    yield from import_module(f"reports.displays.{MODULES[planned.kind]}").estimates(
        planned, context
    )


def subject_of(planned: AnyDisplay, context: Context) -> str:
    """Of whom a display is: `by GRP4` only where the groups are the values of that column of adsl as they stand."""
    by = getattr(planned, "by", ())
    names = [_column(name, context) for name in ([by] if isinstance(by, str) else by)]
    parts = [f"by {', '.join(names)}" if names else "all patients"]
    parts += [f"{name} is {' or '.join(codes)}" for name, codes in planned.where.items()]
    if month := getattr(planned, "landmark_months", None):
        parts.append(f"from month {month:g}")
    return "; ".join(parts)


def _column(name: str, context: Context) -> str:
    variable = context.plan.variables[name]
    if variable.recode or variable.cut is not None:
        return f"{name} (made of {variable.column or name})"
    return variable.column or name


def subjects_of(planned: AnyDisplay, context: Context) -> pl.DataFrame:
    """The patients behind one display; no row where single patients stand behind none of its rows."""
    module = import_module(f"reports.displays.{MODULES[planned.kind]}")
    if not hasattr(module, "subjects"):
        return SUBJECT.to_frame()
    found: pl.DataFrame = module.subjects(planned, context)
    return found.select(pl.col(name).cast(pl.String) for name in SUBJECT)
