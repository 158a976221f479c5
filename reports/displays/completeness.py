"""How many values of each variable are known, by center and in all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import ALL, Estimate, percent
from reports.displays.response import NOT_ASSESSED

if TYPE_CHECKING:
    from schemas.spec.plan import Completeness

METHOD = (
    "Patients of the cohort whose value is known; unknown, not done and not delivered are not known"
)
CENTER = "SITEID"
# A response that nobody could judge counts as less than PR under some settings; it is not known all the same.
RESPONSE, SOURCE = "BESTRESP", "BESTRSRC"


def estimates(planned: Completeness, context: Context) -> Iterator[Estimate]:
    """Patients of each center, then the known values of each variable."""
    patients = _patients(planned, context)
    names = list(planned.variables)
    counted = (
        patients.group_by(CENTER)
        .agg(pl.len(), *[_known(name, context).sum().alias(f"known_{name}") for name in names])
        .sort(CENTER)
    )
    total = counted.sum().with_columns(pl.lit(ALL).alias(CENTER))
    rows = pl.concat([total.select(counted.columns), counted]).to_dicts()
    for row in rows:
        size, code = int(row["len"]), str(row[CENTER] or "UNKNOWN")
        yield Estimate(
            display=planned.id, population=code, population_label=_label(code), row="N",
            row_label="Patients", statistic="n", value=float(size), n=size, text=str(size),
        )  # fmt: skip
    for name in names:
        for row in rows:
            size, known = int(row["len"]), int(row[f"known_{name}"])
            code = str(row[CENTER] or "UNKNOWN")
            yield Estimate(
                display=planned.id, population=code, population_label=_label(code), row=name,
                row_label=context.variable(name).label, statistic="percent",
                value=100 * known / size if size else None, n=size, events=known, method=METHOD,
                text=_share(known, size),
            )  # fmt: skip


def _patients(planned: Completeness, context: Context) -> pl.DataFrame:
    """The patients with their center as text; null where the table has no centers."""
    patients = context.chosen(planned.where)
    center = pl.col(CENTER) if CENTER in patients.columns else pl.lit(None)
    return patients.with_columns(center.cast(pl.String).alias(CENTER))


def _share(known: int, size: int) -> str:
    """Percent of known values; 100 only where nothing is missing, 0 only where nothing is known."""
    shown = percent(known, size)
    if known < size and shown == "100":
        return ">99"
    return "<1" if known and shown == "0" else shown


def _known(name: str, context: Context) -> pl.Expr:
    variable = context.variable(name)
    is_judged = pl.lit(True)
    if (variable.column or name) == RESPONSE and SOURCE in context.data.adsl.columns:
        is_judged = ~pl.col(SOURCE).is_in(NOT_ASSESSED).fill_null(False)
    return pl.col(name).is_not_null() & is_judged


def _label(code: str) -> str:
    return {ALL: "All", "UNKNOWN": "Center not known"}.get(code, code)


def subjects(planned: Completeness, context: Context) -> pl.DataFrame:
    """The patients whose value is not known: level `missing`."""
    patients = _patients(planned, context)
    return pl.concat(
        [
            patients.filter(~_known(name, context)).select(
                display=pl.lit(planned.id), population=pl.col(CENTER).fill_null("UNKNOWN"),
                row=pl.lit(name), level=pl.lit("missing"), usubjid="USUBJID",
            )
            for name in planned.variables
        ]
    )  # fmt: skip
