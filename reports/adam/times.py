"""AVAL as days on the clock: its unit, its first day, what the dates say of it, and sentences on all that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from reports.adam.dated import CHECKED, Counted, check_dates, with_days_between
from reports.adam.doubts import LENGTH, Doubt, doubts
from reports.adam.source import FirstDay, Source
from reports.adam.units import DAYS, MONTHS, TOLD_BY, UNIT, YEARS, days_of, with_units

# A longer time is a mistake: 200 years, in days.
LONGEST = 200 * 365.25
CODED = "CNSR: 0 event, 2 competing event, any other number censored."


@dataclass(frozen=True)
class Times:
    """The rows with `days` from the start of the clock, sentences of METHODS, and what is doubtful."""

    frame: pl.DataFrame
    sentences: dict[str, str]
    doubts: tuple[Doubt, ...]


def times_of(adtte: Source, first_day: FirstDay | None, days_per_month: float) -> Times:
    """Days of every row.

    Args:
        adtte: Numbered rows of the endpoints with AVAL as a number; AVALU, PARAM, STARTDT and ADT if there.
        first_day: What AVAL in days is on the day on which the clock starts; None: told by the dates, else 1.
        days_per_month: Length of a month in days.

    Raises:
        FileError: The unit is not clear, AVAL contradicts the dates, or a time is below 0 or above 200 years.
    """
    rows = with_days_between(with_units(adtte))
    counted = check_dates(rows, first_day, days_per_month)
    lengths = pl.col(UNIT).replace_strict(days_of(days_per_month), return_dtype=pl.Float64)
    start = pl.when(pl.col(UNIT).eq(DAYS)).then(counted.first_day).otherwise(0)
    length = pl.col("AVAL").cast(pl.Float64) * lengths
    measured = Source(
        rows.frame.with_columns(length.alias(LENGTH)).with_columns(days=pl.col(LENGTH) - start),
        adtte.file,
    )
    measured.refuse(
        pl.col("days") < 0,
        "AVAL",
        "times that end before the clock starts",
        "correct AVAL, or say --first-day 0",
    )
    measured.refuse(
        pl.col("days") > LONGEST,
        "AVAL",
        "times of more than 200 years",
        "correct AVAL, or AVALU where it is not in days",
    )
    sentences = {
        "times": f"{_units(measured.frame, counted, days_per_month)} {CODED}",
        "times_checked": _checked(measured.frame),
    }
    return Times(measured.frame, sentences, doubts(measured))


def _units(frame: pl.DataFrame, counted: Counted, days_per_month: float) -> str:
    """How AVAL was read, unit by unit."""
    parts = frame.select("PARAMCD", UNIT, TOLD_BY).unique(maintain_order=True)
    units = parts[UNIT].unique(maintain_order=True).to_list()
    made = []
    for unit in units:
        own = parts.filter(pl.col(UNIT) == unit)
        names = own["PARAMCD"].unique(maintain_order=True).to_list()
        of = f" of {', '.join(names)}" if len(units) > 1 else ""
        by = own[TOLD_BY].drop_nulls().unique().sort().to_list()
        told = [f"told by {' and '.join(by)}"] if by else []
        if own[TOLD_BY].null_count():
            told.append("where no unit is named" if by else "no unit is named")
        length = days_of(days_per_month)[unit]
        exact = f" of {length:g} days" if unit in (MONTHS, YEARS) else ""
        made.append(f"AVAL{of} is in {unit.lower()}{exact} ({', '.join(told)})")
        if unit == DAYS:
            made[-1] += (
                f" and is {counted.first_day} on the day on which the clock starts ({counted.how})"
            )
    return " ".join([*(f"{text}." for text in made), *_from_one(counted)])


def _from_one(counted: Counted) -> Iterator[str]:
    if counted.from_one:
        names = ", ".join(f"{name} ({unit.lower()})" for name, unit in counted.from_one)
        yield f"By the dates, the first day is counted in AVAL of {names}; it is taken as it is."


def _checked(frame: pl.DataFrame) -> str:
    """How many times the dates confirm."""
    timed = frame.filter(pl.col("AVAL").is_not_null())
    counted = timed.group_by("PARAMCD", maintain_order=True).agg(n=CHECKED.sum(), of=pl.len())
    if not counted["n"].sum():
        return "AVAL could not be checked: no row has AVAL, STARTDT and ADT."
    parts = ", ".join(f"{name} in {n} of {of} rows" for name, n, of in counted.iter_rows())
    others = "" if counted["n"].sum() == timed.height else " The others could not be checked."
    return f"AVAL agrees with STARTDT and ADT where both are there: {parts}.{others}"
