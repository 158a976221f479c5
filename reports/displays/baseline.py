"""Characteristics of patients and treatment by group, with a test for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from reports.displays.columns import small_columns, unplaced
from reports.displays.context import Context
from reports.displays.estimate import ALL, Estimate, count_text, number_text, p_text, percent
from reports.stats.tables import Test, chi_squared, rank_test

if TYPE_CHECKING:
    from schemas.spec.plan import BaselineTable

MISSING = "missing"
SMALL_EXPECTED = 5


@dataclass(frozen=True)
class Row:
    """A variable of the table: median with range, or counts of `levels` (code → label)."""

    display: str
    name: str
    label: str
    decimals: int
    levels: dict[str, str]


def declared_rows(planned: BaselineTable, context: Context) -> list[Row]:
    """The rows of the table in order."""
    variables = {name: context.variable(name) for name in planned.rows}
    return [
        Row(planned.id, name, v.label, v.decimals, dict(v.levels)) for name, v in variables.items()
    ]


def estimates(planned: BaselineTable, context: Context) -> list[Estimate]:
    """Sizes, then each variable for every group, for all, and its P value."""
    patients = context.chosen(planned.where)
    populations = {**context.variable(planned.by).levels, ALL: "All"}
    frames = {
        code: patients if code == ALL else patients.filter(pl.col(planned.by) == code)
        for code in populations
    }
    found = [
        Estimate(
            display=planned.id,
            population=code,
            population_label=label,
            row="N",
            row_label="Patients",
            statistic="n",
            value=float(frames[code].height),
            n=frames[code].height,
            text=str(frames[code].height),
        )
        for code, label in populations.items()
    ]
    sizes = {code: frame.height for code, frame in frames.items()}
    found += small_columns(planned.id, populations, sizes, context.plan.small_group)
    found += unplaced(planned.id, context.variable(planned.by).label, sizes)
    for row in declared_rows(planned, context):
        columns = {code: frame[row.name] for code, frame in frames.items()}
        make = _level_rows if row.levels else _median_rows
        found += make(row, columns, populations)
    return found


def _median_rows(
    row: Row, columns: dict[str, pl.Series], populations: dict[str, str]
) -> Iterator[Estimate]:
    for code, column in columns.items():
        values = column.drop_nulls().cast(pl.Float64).to_numpy()
        summary = (
            (float(np.median(values)), float(values.min()), float(values.max()))
            if values.size
            else (None, None, None)
        )
        for statistic, value in zip(("median", "min", "max"), summary, strict=True):
            is_median = statistic == "median"
            text = number_text(value, row.decimals)
            if is_median and values.size:
                limits = "–".join(number_text(limit, row.decimals) for limit in summary[1:])
                text = f"{_median_text(value, row.decimals)} ({limits})"
            yield Estimate(
                display=row.display,
                population=code,
                population_label=populations[code],
                row=row.name,
                row_label=row.label,
                level_label="Median (range)" if is_median else None,
                statistic=statistic,
                value=value,
                lower=summary[1] if is_median else None,
                upper=summary[2] if is_median else None,
                n=int(values.size),
                text=text,
            )
        yield _missing(row, code, populations[code], column.len() - int(values.size))
    compared = [
        column.drop_nulls().cast(pl.Float64).to_numpy()
        for code, column in columns.items()
        if code != ALL
    ]
    yield _test(row, rank_test(compared), sum(values.size for values in compared))


def _median_text(value: float | None, decimals: int) -> str:
    """A median; halves of whole numbers are shown, not rounded away."""
    if value is not None and decimals == 0 and value != int(value):
        return number_text(value, 1)
    return number_text(value, decimals)


def _level_rows(
    row: Row, columns: dict[str, pl.Series], populations: dict[str, str]
) -> Iterator[Estimate]:
    texts = {code: column.cast(pl.String) for code, column in columns.items()}
    observed = texts[ALL].drop_nulls().unique().sort().to_list()
    # A value that the table does not declare gets its own line: it is never left out of the counts.
    levels = {**row.levels, **{value: value for value in observed if value not in row.levels}}
    counts = {
        code: [int((column == level).sum()) for level in levels] for code, column in texts.items()
    }
    known = {code: sum(numbers) for code, numbers in counts.items()}
    for index, (level, label) in enumerate(levels.items()):
        for code in columns:
            number = counts[code][index]
            share = 100 * number / known[code] if known[code] else None
            for statistic, value, text in (
                ("n", float(number), count_text(number, known[code])),
                ("percent", share, percent(number, known[code])),
            ):
                yield Estimate(
                    display=row.display,
                    population=code,
                    population_label=populations[code],
                    row=row.name,
                    row_label=row.label,
                    level=level,
                    level_label=label,
                    statistic=statistic,
                    value=value,
                    n=known[code],
                    text=text,
                )
    for code, column in columns.items():
        yield _missing(row, code, populations[code], column.len() - known[code])
    table = np.array(
        [[counts[code][i] for code in columns if code != ALL] for i in range(len(levels))]
    )
    yield _test(row, chi_squared(table), known[ALL])


def _missing(row: Row, code: str, label: str, number: int) -> Estimate:
    return Estimate(
        display=row.display,
        population=code,
        population_label=label,
        row=row.name,
        row_label=row.label,
        level=MISSING,
        level_label="Missing",
        statistic="n",
        value=float(number),
        n=number,
        text=str(number),
    )


def _test(row: Row, test: Test, n: int) -> Estimate:
    method = test.method + (f", {test.df} degrees of freedom" if test.df is not None else "")
    is_sparse = test.smallest_expected is not None and test.smallest_expected < SMALL_EXPECTED
    if is_sparse:
        method += f"; an expected count is below {SMALL_EXPECTED}"
    return Estimate(
        display=row.display,
        row=row.name,
        row_label=row.label,
        statistic="p",
        value=test.statistic,
        p=test.p,
        n=n,
        method=method,
        text=p_text(test.p) + ("†" if is_sparse else ""),
    )


def subjects(planned: BaselineTable, context: Context) -> pl.DataFrame:
    """The patients behind each row: population, row, level, usubjid."""
    patients = context.chosen(planned.where)
    return pl.concat(
        [
            patients.select(
                display=pl.lit(planned.id),
                population=planned.by,
                row=pl.lit(row.name),
                level=pl.when(pl.col(row.name).is_null())
                .then(pl.lit(MISSING))
                .otherwise(pl.col(row.name).cast(pl.String) if row.levels else None),
                usubjid="USUBJID",
            )
            for row in declared_rows(planned, context)
        ]
    )
