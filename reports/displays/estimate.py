"""A row of `analysis.estimate`, and how numbers are printed."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

ALL = "ALL"
NOT_REACHED = "not reached"
NOT_ESTIMABLE = "not estimable"

SCHEMA = pl.Schema(
    {
        "display": pl.String(),
        "endpoint": pl.String(),
        "population": pl.String(),
        "row": pl.String(),
        "level": pl.String(),
        "statistic": pl.String(),
        "value": pl.Float64(),
        "lower": pl.Float64(),
        "upper": pl.Float64(),
        "p": pl.Float64(),
        "n": pl.Int64(),
        "events": pl.Int64(),
        "method": pl.String(),
        "text": pl.String(),
        "time_months": pl.Float64(),
        "population_label": pl.String(),
        "row_label": pl.String(),
        "level_label": pl.String(),
        "position": pl.Int32(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One printed number; the fields are the columns of `analysis.estimate` without `position`."""

    display: str
    row: str
    statistic: str
    population: str = ALL
    level: str | None = None
    endpoint: str | None = None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    n: int | None = None
    events: int | None = None
    method: str | None = None
    text: str | None = None
    time_months: float | None = None
    population_label: str | None = None
    row_label: str | None = None
    level_label: str | None = None


def to_frame(estimates: list[Estimate]) -> pl.DataFrame:
    """The rows in order, with `position` counting from 1 in each display; NaN becomes null."""
    names = [field.name for field in fields(Estimate)]
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for estimate in estimates:
        for name in names:
            columns[name].append(getattr(estimate, name))
    schema = {name: SCHEMA[name] for name in names}
    return (
        pl.DataFrame(columns, schema=schema)
        .with_columns(pl.col(pl.Float64).fill_nan(None))
        .with_columns(position=pl.int_range(1, pl.len() + 1).over("display").cast(pl.Int32))
        .select(SCHEMA.names())
    )


def percent(part: int, whole: int) -> str:
    """A percentage rounded half up from the exact ratio, without sign."""
    return str((200 * part + whole) // (2 * whole)) if whole else "–"


def count_text(part: int, whole: int) -> str:
    """`n (%)`."""
    return f"{part} ({percent(part, whole)})"


def within(label: str) -> str:
    """A label inside a sentence: its capital goes, unless it begins an abbreviation."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def number_text(value: float | None, decimals: int) -> str:
    """A number with fixed decimals, rounded half up; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    # Half a unit in the last place of the binary number must not decide: 2.675 is meant as such.
    scaled = math.floor(abs(value) * 10**decimals + 0.5 + 1e-9) / 10**decimals
    return f"{math.copysign(scaled, value) if scaled else 0.0:.{decimals}f}"


def p_text(p: float | None) -> str:
    """A P value: `<0.001`, else two significant digits and at most three decimals."""
    if p is None or math.isnan(p):
        return NOT_ESTIMABLE
    if p < 0.001:
        return "<0.001"
    if p > 0.995:
        return ">0.99"
    decimals = 3 if p < 0.0995 else 2
    return number_text(p, decimals)


def interval_text(lower: float | None, upper: float | None, decimals: int) -> str:
    """Confidence limits; NR where a limit is not reached."""
    return " to ".join(
        "NR" if limit is None or math.isnan(limit) else number_text(limit, decimals)
        for limit in (lower, upper)
    )
