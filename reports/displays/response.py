"""Best response to the first salvage by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from reports.displays.baseline import SMALL_EXPECTED
from reports.displays.columns import small_columns, unplaced
from reports.displays.context import Context
from reports.displays.estimate import ALL, Estimate, count_text, number_text, p_text, percent
from reports.stats.tables import chi_squared, clopper_pearson

if TYPE_CHECKING:
    from schemas.spec.plan import ResponseBars

DISPLAY = ""  # set for all rows at once
CLASSES = {"CR": "CR", "VGPR": "VGPR", "PR": "PR", "LTPR": "Less than PR"}
RATES = {
    "ORR": ("Overall response (PR or better)", ("CR", "VGPR", "PR")),
    "CRR": ("Complete response", ("CR",)),
}
NOT_ASSESSED = ("MISSING", "NOT_EVALUABLE", "NOT_DERIVED")
INTERVAL = "Clopper-Pearson 95% confidence interval"


def estimates(planned: ResponseBars, context: Context) -> list[Estimate]:
    """Classes, rates with intervals, patients without an evaluable response, and tests, by group."""
    patients = context.chosen(planned.where)
    populations = {**context.variable(planned.by).levels, ALL: "All"}
    derived = bool(patients["BESTRSRC"].is_in(["DERIVED", "NOT_DERIVED"]).any())
    counts: dict[str, dict[str, int]] = {}
    not_assessed: dict[str, int] = {}
    unknown: dict[str, int] = {}
    for code in populations:
        frame = patients if code == ALL else patients.filter(pl.col(planned.by) == code)
        counts[code] = {level: int((frame["BESTRESP"] == level).sum()) for level in CLASSES}
        unknown[code] = int(frame["BESTRESP"].is_null().sum())
        not_assessed[code] = int(frame["BESTRSRC"].is_in(NOT_ASSESSED).sum())
    sizes = {code: sum(counts[code].values()) + unknown[code] for code in populations}
    found = [
        *_class_rows(counts, populations),
        *_unknown_rows(unknown, counts, populations),
        *_rate_rows(counts, populations),
        *_not_assessed_rows(not_assessed, counts, populations, derived),
        *_tests(counts),
        *small_columns(planned.id, populations, sizes, context.plan.small_group),
        *unplaced(planned.id, context.variable(planned.by).label, sizes),
    ]
    return [replace(row, display=planned.id) for row in found]


def _class_rows(
    counts: dict[str, dict[str, int]], populations: dict[str, str]
) -> Iterator[Estimate]:
    for code, label in populations.items():
        whole = sum(counts[code].values())
        for level, number in counts[code].items():
            share = 100 * number / whole if whole else None
            for statistic, value, text in (
                ("n", float(number), count_text(number, whole)),
                ("percent", share, percent(number, whole)),
            ):
                yield Estimate(
                    display=DISPLAY,
                    population=code,
                    population_label=label,
                    row="BESTRESP",
                    row_label="Best response",
                    level=level,
                    level_label=CLASSES[level],
                    statistic=statistic,
                    value=value,
                    n=whole,
                    text=text,
                )


def _unknown_rows(
    unknown: dict[str, int], counts: dict[str, dict[str, int]], populations: dict[str, str]
) -> Iterator[Estimate]:
    """Patients outside the rates, with their share of all; no row where there are none."""
    for code, label in populations.items() if any(unknown.values()) else ():
        whole = sum(counts[code].values()) + unknown[code]
        yield Estimate(
            display=DISPLAY,
            population=code,
            population_label=label,
            row="BESTRESP",
            row_label="Best response",
            level="missing",
            level_label="Unknown (share of all patients)",
            statistic="n",
            value=float(unknown[code]),
            n=whole,
            text=count_text(unknown[code], whole),
        )


def _rate_rows(
    counts: dict[str, dict[str, int]], populations: dict[str, str]
) -> Iterator[Estimate]:
    for row, (row_label, levels) in RATES.items():
        for code, label in populations.items():
            whole = sum(counts[code].values())
            number = sum(counts[code][level] for level in levels)
            rate = clopper_pearson(number, whole)
            limits = [100 * limit for limit in (rate.value, rate.lower, rate.upper)]
            yield Estimate(
                display=DISPLAY,
                population=code,
                population_label=label,
                row=row,
                row_label=row_label,
                statistic="percent",
                value=limits[0],
                lower=limits[1],
                upper=limits[2],
                n=whole,
                events=number,
                method=INTERVAL,
                text=(
                    f"{percent(number, whole)}% ({number_text(limits[1], 0)} to"
                    f" {number_text(limits[2], 0)})"
                    if whole
                    else "no patients"
                ),
            )


def _not_assessed_rows(
    not_assessed: dict[str, int],
    counts: dict[str, dict[str, int]],
    populations: dict[str, str],
    derived: bool,
) -> Iterator[Estimate]:
    for code, label in populations.items():
        yield Estimate(
            display=DISPLAY,
            population=code,
            population_label=label,
            row="NOT_ASSESSED",
            row_label="Response cannot be derived from measurements"
            if derived
            else "Response missing or not evaluable",
            statistic="n",
            value=float(not_assessed[code]),
            n=sum(counts[code].values()),
            text=str(not_assessed[code]),
        )


def _tests(counts: dict[str, dict[str, int]]) -> Iterator[Estimate]:
    by_group = [numbers for code, numbers in counts.items() if code != ALL]
    tables = {
        "BESTRESP": ("Best response", [[g[level] for g in by_group] for level in CLASSES]),
        **{
            row: (
                label,
                [
                    [sum(g[level] for level in levels) for g in by_group],
                    [sum(g[level] for level in CLASSES if level not in levels) for g in by_group],
                ],
            )
            for row, (label, levels) in RATES.items()
        },
    }
    for row, (label, table) in tables.items():
        test = chi_squared(np.array(table))
        is_sparse = test.smallest_expected is not None and test.smallest_expected < SMALL_EXPECTED
        method = test.method + (f", {test.df} degrees of freedom" if test.df is not None else "")
        yield Estimate(
            display=DISPLAY,
            row=row,
            row_label=label,
            statistic="p",
            value=test.statistic,
            p=test.p,
            n=sum(sum(g.values()) for g in by_group),
            method=method + (f"; an expected count is below {SMALL_EXPECTED}" if is_sparse else ""),
            text=p_text(test.p) + ("†" if is_sparse else ""),
        )


def subjects(planned: ResponseBars, context: Context) -> pl.DataFrame:
    """The patients behind each class."""
    return context.chosen(planned.where).select(
        display=pl.lit(planned.id),
        population=planned.by,
        row=pl.lit("BESTRESP"),
        level=pl.col("BESTRESP"),
        usubjid="USUBJID",
    )
