"""AVAL against STARTDT and ADT: every row that has both is checked in its unit."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from reports.adam.source import FirstDay, Source
from reports.adam.units import DAYS, UNIT, days_of

BETWEEN = "days between STARTDT and ADT"
CHECKED = pl.col(BETWEEN).is_not_null() & pl.col("AVAL").is_not_null()
# Months and years of others may be a little longer or shorter: 365 / 12 and 30.44 days are months too.
OTHER_LENGTH = 0.002
MOST_DECIMALS = 6
MOSTLY = 0.9  # of the rows agree in a unit: it is proposed


@dataclass(frozen=True)
class Counted:
    """From which number days count, how that is known, and the endpoints whose other units count the first day."""

    first_day: int
    how: str
    from_one: tuple[tuple[str, str], ...] = ()


def with_days_between(adtte: Source) -> Source:
    """The rows with `BETWEEN`, null where a date is missing."""
    between = pl.lit(None, pl.Int64)
    if {"STARTDT", "ADT"} <= set(adtte.frame.columns):
        between = (pl.col("ADT") - pl.col("STARTDT")).dt.total_days()
    return Source(adtte.frame.with_columns(between.alias(BETWEEN)), adtte.file)


def check_dates(adtte: Source, asked: FirstDay | None, days_per_month: float) -> Counted:
    """How AVAL counts, as STARTDT and ADT tell it.

    Args:
        adtte: Numbered rows with `UNIT` and `BETWEEN`.
        asked: What AVAL in days is said to be on the first day.
        days_per_month: Length of a month in days.

    Raises:
        FileError: AVAL of a row contradicts its dates; with endpoint, number of rows and the first one.
    """
    counted = _first_day(adtte, asked, days_per_month)
    from_one = []
    lengths = days_of(days_per_month)
    others = adtte.frame.filter(CHECKED & pl.col(UNIT).ne(DAYS))
    wrong = pl.lit(False)
    for name, unit in others.select("PARAMCD", UNIT).unique(maintain_order=True).iter_rows():
        rows = pl.col("PARAMCD").eq(name) & pl.col(UNIT).eq(unit)
        decimals = _decimals(adtte.frame.filter(rows)["AVAL"])
        off = [_is_off(lengths[unit], decimals, first) for first in (0, 1)]
        n_off = [others.filter(rows & way).height for way in off]
        first = 1 if n_off[1] < n_off[0] else 0
        if first:
            from_one.append((name, unit))
        wrong = wrong | (rows & CHECKED & off[first])
    adtte.refuse_times(
        wrong, "AVAL", "contradicts STARTDT and ADT",
        f"correct AVAL, its unit or the dates{_proposed(adtte, wrong, days_per_month)}; months have {days_per_month:g} days",
        among=CHECKED & pl.col(UNIT).ne(DAYS),
    )  # fmt: skip
    return Counted(counted.first_day, counted.how, tuple(from_one))


def _first_day(adtte: Source, asked: FirstDay | None, days_per_month: float) -> Counted:
    """AVAL in days of the day on which the clock starts, and how it is known."""
    rows = CHECKED & pl.col(UNIT).eq(DAYS)
    offset = pl.col("AVAL").cast(pl.Float64) - pl.col(BETWEEN)
    found = adtte.frame.filter(rows).select(offset=offset)["offset"]
    if not found.len():
        return Counted(1, "as ADaM has it") if asked is None else Counted(asked, "as asked for")
    n = [int((found == value).sum()) for value in (0, 1)]
    told = 1 if n[1] >= n[0] else 0
    if asked is not None and n[1 - asked] == found.len():
        raise adtte.fault(
            "WRONG_TYPE",
            f"column 'AVAL' is {1 - asked} on the first day by STARTDT and ADT, not {asked}",
            "leave --first-day out",
        )
    start = told if asked is None else asked
    wrong = rows & offset.ne(start)
    adtte.refuse_times(
        wrong, "AVAL",
        "in days, it is neither ADT - STARTDT nor ADT - STARTDT + 1 in all rows",
        f"correct AVAL or the dates, or say in AVALU which unit it is in{_proposed(adtte, wrong, days_per_month)}",
        among=rows,
    )  # fmt: skip
    return Counted(start, "STARTDT and ADT tell")


def _decimals(values: pl.Series) -> int:
    """The fewest decimals with which at least half of the numbers are written, up to `MOST_DECIMALS`."""
    numbers = values.drop_nulls().cast(pl.Float64)
    for decimals in range(MOST_DECIMALS):
        if 2 * int(((numbers - numbers.round(decimals)).abs() < 1e-9).sum()) >= numbers.len():
            return decimals
    return MOST_DECIMALS


def _is_off(length: float, decimals: int, first: int) -> pl.Expr:
    """Whether AVAL is not the days between the dates, in units of `length` days and as far as it is rounded (or cut)."""
    difference = pl.col("AVAL").cast(pl.Float64) * length - pl.col(BETWEEN) - first
    allowed = length * 10.0**-decimals + OTHER_LENGTH * pl.col(BETWEEN).abs() + 1e-6
    return difference.abs() > allowed


def _proposed(adtte: Source, wrong: pl.Expr, days_per_month: float) -> str:
    """The unit in which nearly all rows of the endpoints with wrong rows would agree, if there is one."""
    names = adtte.frame.filter(wrong)["PARAMCD"].unique().to_list()
    rows = adtte.frame.filter(CHECKED & pl.col("PARAMCD").is_in(names))
    if not rows.height:
        return ""
    decimals = _decimals(rows["AVAL"])
    for unit, length in days_of(days_per_month).items():
        if rows[UNIT].eq(unit).any():
            continue
        off = min(rows.filter(_is_off(length, decimals, first)).height for first in (0, 1))
        if off <= (1 - MOSTLY) * rows.height:
            return f" (as {unit} it agrees in {rows.height - off} of {rows.height} rows)"
    return ""
