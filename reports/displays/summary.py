"""The numbers of the text by group: size, medians of endpoints, times, rates with intervals, tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from reports.displays.baseline import SMALL_EXPECTED
from reports.displays.context import Context
from reports.displays.curves import CONF_TYPE, MEDIAN
from reports.displays.estimate import (
    ALL,
    NOT_REACHED,
    Estimate,
    count_text,
    interval_text,
    number_text,
    p_text,
    percent,
)
from reports.displays.late_levels import guarantee_time
from reports.stats.kaplan_meier import kaplan_meier
from reports.stats.logrank import log_rank
from reports.stats.tables import Test, chi_squared, clopper_pearson, rank_test

if TYPE_CHECKING:
    from schemas.spec.plan import Summary

RATE = "Clopper-Pearson 95% confidence interval"
MISSING = "missing"
FEW, SMALL = "‡", "§"  # fewer events, fewer patients than the plan asks for
# Response is told as rates, too: what counts as overall response.
RESPONSE, RESPONDERS = "BESTRESP", ("CR", "VGPR", "PR")
NO, YES = "N", "Y"


@dataclass(frozen=True)
class Display:
    """What all rows of a display share: its id, the groups with `ALL` last, when a number is weak."""

    name: str
    by: str
    populations: dict[str, str]
    early_events: int
    small_group: int

    def parts(self, frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """The patients of each population."""
        return {
            code: frame if code == ALL else frame.filter(pl.col(self.by) == code)
            for code in self.populations
        }

    def weak(self, n: int, events: int) -> tuple[str, str]:
        """The marks of an estimate that rests on few events or patients, and what they mean."""
        few, small = events < self.early_events, n < self.small_group
        marks = (FEW if few else "") + (SMALL if small else "")
        words = (f"; few events ({events})" if few else "") + (
            f"; small group ({n})" if small else ""
        )
        return (f" {marks}" if marks else "", words)


def estimates(planned: Summary, context: Context) -> Iterator[Estimate]:
    """Rows of the table in order."""
    groups = context.variable(planned.by).levels
    plan = context.plan
    display = Display(
        planned.id, planned.by, {**groups, ALL: "All"}, plan.early_events, plan.small_group
    )
    patients = context.chosen(planned.where)
    yield from _mix(display, patients)
    names = (planned.by, *planned.where)
    if planned.medians and (late := guarantee_time(names, context, "comparing the medians")):
        yield Estimate(
            display=planned.id, row="WARNING", row_label="Caution", level="GUARANTEE_TIME",
            statistic="text", text=late,
        )  # fmt: skip
    for name in planned.medians:
        yield from _medians(display, name, context, planned.where)
    for name in planned.numbers:
        yield from _numbers(display, name, context, patients)
    for name in planned.shares:
        yield from _shares(display, name, context, patients)


def _mix(display: Display, patients: pl.DataFrame) -> Iterator[Estimate]:
    """The groups as a share of all patients; those without a group are told."""
    for code, part in display.parts(patients).items():
        yield Estimate(
            display=display.name, population=code, population_label=display.populations[code],
            row="MIX", row_label="Patients, n (% of all)", statistic="n", value=float(part.height),
            n=patients.height, text=count_text(part.height, patients.height),
        )  # fmt: skip
    if unknown := patients[display.by].null_count():
        yield Estimate(
            display=display.name, row="no_group", row_label="Patients without a known group",
            statistic="n", value=float(unknown), n=unknown, text=str(unknown),
        )  # fmt: skip


def _medians(
    display: Display, name: str, context: Context, where: dict[str, tuple[str, ...]]
) -> Iterator[Estimate]:
    endpoint = context.endpoint(name)
    times = context.times(name, where)
    label = f"{endpoint.label}, median months (95% CI)"
    for code, part in display.parts(times).items():
        found = _median(display, part, context)
        yield Estimate(
            display=display.name, endpoint=name, population=code,
            population_label=display.populations[code], row=f"MEDIAN_{name}", row_label=label,
            statistic="median", **found,
        )  # fmt: skip
    known = times.filter(pl.col(display.by).is_not_null())
    p, chi = None, None
    if known[display.by].n_unique() > 1:
        result = log_rank(
            known["days"].to_numpy(), known["event"].to_numpy(), known[display.by].to_numpy()
        )
        p, chi = result.p, result.chi_squared
    events = int(known["event"].sum())
    yield Estimate(
        display=display.name, endpoint=name, row=f"MEDIAN_{name}", row_label=label, statistic="p",
        value=chi, p=p, n=known.height, events=events, method="Log-rank test, two-sided, unstratified",
        text=p_text(p),
    )  # fmt: skip


def _median(display: Display, part: pl.DataFrame, context: Context) -> dict[str, Any]:
    """Value, limits, n, events, method and text of the median of one population."""
    if not part.height:
        return {"n": 0, "events": 0, "text": "no patients"}
    curve = kaplan_meier(part["days"].to_numpy(), part["event"].to_numpy(), conf_type=CONF_TYPE)
    found = curve.median
    value, lower, upper = (context.months(x) for x in (found.value, found.lower, found.upper))
    shown = NOT_REACHED if value is None else number_text(value, 1)
    if lower is not None or upper is not None:
        shown += f" ({interval_text(lower, upper, 1)})"
    marks, words = display.weak(curve.n, curve.events)
    return {
        "value": value, "lower": lower, "upper": upper, "n": curve.n, "events": curve.events,
        "method": MEDIAN + words, "text": shown + marks,
    }  # fmt: skip


def _numbers(
    display: Display, name: str, context: Context, patients: pl.DataFrame
) -> Iterator[Estimate]:
    variable = context.variable(name)
    label = f"{variable.label}, median (range)"
    compared = []
    for code, part in display.parts(patients).items():
        values = part[name].drop_nulls().cast(pl.Float64).to_numpy()
        if code != ALL:
            compared.append(values)
        summary: tuple[float | None, float | None, float | None] = (None, None, None)
        text = "no value"
        if values.size:
            summary = (float(np.median(values)), float(values.min()), float(values.max()))
            middle, low, high = (number_text(x, variable.decimals) for x in summary)
            text = f"{middle} ({low}–{high})"
        yield Estimate(
            display=display.name, population=code,
            population_label=display.populations[code], row=name, row_label=label, statistic="median",
            value=summary[0], lower=summary[1], upper=summary[2], n=int(values.size), text=text,
        )  # fmt: skip
        yield _missing(display, name, label, code, part.height - int(values.size))
    yield _test(display, name, label, rank_test(compared), sum(v.size for v in compared))


def _shares(
    display: Display, name: str, context: Context, patients: pl.DataFrame
) -> Iterator[Estimate]:
    """Each level with its interval; of yes and no only yes; of responses first all responders."""
    variable = context.variable(name)
    parts = {code: part[name].drop_nulls() for code, part in display.parts(patients).items()}
    sets: dict[str, tuple[str, tuple[str, ...]]] = {
        level: (label, (level,)) for level, label in variable.levels.items()
    }
    if set(sets) == {NO, YES}:
        sets = {YES: (variable.label, (YES,))}
    elif (variable.column or name) == RESPONSE:
        sets = {"ORR": ("Overall response (PR or better)", RESPONDERS), **sets}
    for level, (label, codes) in sets.items():
        place = (f"{name}_{level}", variable.label, None if len(sets) == 1 else label)
        counts = {c: int(column.is_in(list(codes)).sum()) for c, column in parts.items()}
        for code, column in parts.items():
            yield _rate(display, place, code, counts[code], column.len())
        table = np.array(
            [
                [counts[code], parts[code].len() - counts[code]]
                for code in display.populations
                if code != ALL
            ]
        ).T
        yield _test(display, place[0], variable.label, chi_squared(table), int(table.sum()))
    for code, part in display.parts(patients).items():
        yield _missing(display, name, variable.label, code, part[name].null_count())


def _rate(
    display: Display, place: tuple[str, str, str | None], code: str, number: int, whole: int
) -> Estimate:
    """A rate; `place` is its row, the label of the variable, and that of the level if there are several."""
    rate = clopper_pearson(number, whole)
    limits = [100 * limit for limit in (rate.value, rate.lower, rate.upper)]
    low, high = (number_text(x, 0) for x in limits[1:])
    return Estimate(
        display=display.name, population=code, population_label=display.populations[code],
        row=place[0], row_label=f"{place[1]}, % (95% CI)", level_label=place[2], statistic="percent", value=limits[0] if whole else None,
        lower=limits[1], upper=limits[2], n=whole, events=number, method=RATE,
        text=f"{percent(number, whole)} ({low} to {high})" if whole else "no patients",
    )  # fmt: skip


def _missing(display: Display, name: str, label: str, code: str, number: int) -> Estimate:
    return Estimate(
        display=display.name, population=code, population_label=display.populations[code],
        row=name, row_label=label, level=MISSING, level_label="Missing", statistic="n",
        value=float(number), n=number, text=str(number),
    )  # fmt: skip


def _test(display: Display, row: str, label: str, test: Test, n: int) -> Estimate:
    method = test.method + (f", {test.df} degrees of freedom" if test.df is not None else "")
    is_sparse = test.smallest_expected is not None and test.smallest_expected < SMALL_EXPECTED
    if is_sparse:
        method += f"; an expected count is below {SMALL_EXPECTED}"
    return Estimate(
        display=display.name, row=row, row_label=label, statistic="p", value=test.statistic,
        p=test.p, n=n, method=method, text=p_text(test.p) + ("†" if is_sparse else ""),
    )  # fmt: skip


def subjects(planned: Summary, context: Context) -> pl.DataFrame:
    """The patients of each group."""
    return context.chosen(planned.where).select(
        display=pl.lit(planned.id), population=pl.col(planned.by).fill_null("UNKNOWN"),
        row=pl.lit("MIX"), level=pl.lit(None, pl.String), usubjid="USUBJID",
    )  # fmt: skip
