"""The patients of a survival display with their times, from time zero or from a landmark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.context import Context
from reports.displays.late_levels import NO_DATE, late_names, why_undated, with_levels

if TYPE_CHECKING:
    from schemas.spec.plan import Endpoint, SurvivalCurves


@dataclass(frozen=True)
class CurveTimes:
    """Who is drawn, and who is not.

    Attributes:
        times: Columns of `Context.times`; late variables hold what was known at the landmark.
        where: The choice of patients that was made before the landmark.
        n_timed: Patients with a time, before the landmark.
        lost: Code → words and number of patients whom the landmark leaves out.
        why_not: Why no landmark can be made; empty if it can, or none was asked for.
    """

    times: pl.DataFrame
    where: dict[str, tuple[str, ...]]
    n_timed: int
    lost: dict[str, tuple[str, int]] = field(default_factory=dict)
    why_not: str = ""


def curve_times(planned: SurvivalCurves, context: Context) -> CurveTimes:
    """Times of a display; with a landmark those still at risk then, by what was known then.

    A variable that becomes known after time zero has its level at the landmark, also where it chooses the
    patients. Who reached a level on no known day is left out and counted.
    """
    if planned.landmark_months is None:
        times = context.times(planned.endpoint, planned.where)
        return CurveTimes(times, planned.where, times.height)
    late = late_names((*planned.by, *planned.where), context)
    where = {name: codes for name, codes in planned.where.items() if name not in late}
    everyone = context.times(planned.endpoint, where)
    if reason := why_undated(late, context):
        return CurveTimes(everyone.clear(), where, everyone.height, why_not=reason)
    day = planned.landmark_months * context.study.settings.days_per_month
    before = everyone.filter(pl.col("days") <= day)
    frame = everyone.filter(pl.col("days") > day).with_columns(at=pl.lit(day))
    frame, undated = with_levels(frame, late, context, planned.endpoint)
    for name in late:
        if name in planned.where:
            frame = frame.filter(pl.col(name).is_in(list(planned.where[name])))
    times = frame.drop("at").with_columns(days=pl.col("days") - day)
    words = _lost(before, context.endpoint(planned.endpoint), planned.landmark_months)
    lost = {"LANDMARK": (words, before.height), "UNDATED": (NO_DATE.lower(), undated)}
    return CurveTimes(
        times, where, everyone.height, {code: told for code, told in lost.items() if told[1]}
    )


def _lost(before: pl.DataFrame, endpoint: Endpoint, month: float) -> str:
    """What became of the patients before the landmark."""
    happened = int(before["event"].sum())
    events = endpoint.event if happened == 1 else endpoint.events
    return f"by month {month:g}: {happened} {events}, {before.height - happened} no longer observed"
