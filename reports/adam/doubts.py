"""Times that may be in another unit than they are taken to be, though nothing proves it: told, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from reports.adam.dated import CHECKED
from reports.adam.source import ROW, Source
from reports.adam.units import DAYS, TOLD_BY, UNIT, mentions_other

LENGTH = "length in days"
FACTOR = 5  # between the times of dated and undated rows: more is hardly chance
ENOUGH = 10  # rows with and without dates, from which such a factor is refused
SHORT = 60  # days; times that are all shorter may be months
LONG_YEARS, LONG_MEDIAN = 25, 10  # longer times, or half of them, are asked about
YEAR = 365.25


@dataclass(frozen=True)
class Doubt:
    """A sentence on the times of an endpoint; it stands beside its displays and on the terminal."""

    endpoint: str
    text: str


def doubts(adtte: Source) -> tuple[Doubt, ...]:
    """What may be wrong with the unit of AVAL.

    Args:
        adtte: Numbered rows with `UNIT`, `TOLD_BY`, `BETWEEN` and `LENGTH` (AVAL in days).

    Raises:
        FileError: The times of ten rows or more without dates are, by their median, more than five times as long or
            as short as those of ten or more that agree with their dates.
    """
    found: list[Doubt] = []
    timed = adtte.frame.filter(pl.col("AVAL").is_not_null())
    confirmed = timed.filter(CHECKED)
    for (name,), rows in timed.group_by("PARAMCD", maintain_order=True):
        endpoint = str(name)
        dated, others = rows.filter(CHECKED), rows.filter(~CHECKED)
        texts = [
            *_fractions(others, rows.height),
            *_short(rows, dated.height),
            *_mentioned(rows, dated.height),
            *_long(rows),
            *_size(adtte, endpoint, dated, others),
            *(_beside_others(rows, confirmed) if not dated.height else ()),
        ]
        found += [
            Doubt(endpoint, f"Unit of AVAL in doubt ('{endpoint}'): {text}") for text in texts
        ]
    return tuple(found)


def _fractions(others: pl.DataFrame, n: int) -> Iterator[str]:
    value = pl.col("AVAL").cast(pl.Float64)
    number = others.filter(pl.col(UNIT).eq(DAYS) & value.ne(value.round())).height
    if number:
        yield (
            f"{number} of {n} rows have fractions of days, and no dates to check them by. Are these months or"
            " weeks? Then AVALU must say so."
        )


def _short(rows: pl.DataFrame, n_dated: int) -> Iterator[str]:
    if not n_dated and rows[TOLD_BY].null_count() == rows.height and rows[LENGTH].max() <= SHORT:  # type: ignore[operator]
        yield (
            f"no time is longer than {SHORT} days. Neither AVALU nor PARAM names a unit and no dates tell it, so"
            " it is taken as days. Are these months or weeks? Then AVALU must say so."
        )


def _mentioned(rows: pl.DataFrame, n_dated: int) -> Iterator[str]:
    if n_dated or "PARAM" not in rows.columns:
        return
    texts = rows.filter(pl.col(TOLD_BY).is_null())["PARAM"].drop_nulls().unique().to_list()
    if any(mentions_other(text) for text in texts):
        yield (
            "PARAM has the word of another unit, but not in parentheses as a unit has it; without AVALU and dates it"
            " is taken as days. Is that so?"
        )


def _long(rows: pl.DataFrame) -> Iterator[str]:
    number = rows.filter(pl.col(LENGTH) > LONG_YEARS * YEAR).height
    if not number and _median(rows) <= LONG_MEDIAN * YEAR:
        return
    units = " and ".join(sorted(str(unit).lower() for unit in rows[UNIT].unique()))
    long = (
        f"{number} of {rows.height} times are longer than {LONG_YEARS} years"
        if number
        else f"half of the times are longer than {LONG_MEDIAN} years"
    )
    yield f"{long} when taken as {units}. Is that the unit?"


def _size(adtte: Source, endpoint: str, dated: pl.DataFrame, others: pl.DataFrame) -> Iterator[str]:
    """Times of rows without dates beside those that the dates confirm."""
    if not (dated.height and others.height):
        return
    usual, unchecked = (max(_median(frame), 1.0) for frame in (dated, others))
    factor = max(usual / unchecked, unchecked / usual)
    than = "longer" if unchecked > usual else "shorter"
    counted = f"{others.height} rows without STARTDT and ADT"
    if factor > FACTOR:
        beside = f"{factor:.1f} times {than} (median) than those of the {dated.height} rows that agree with their dates"
        if min(dated.height, others.height) >= ENOUGH:
            first = others.select(pl.col(ROW).cast(pl.Int64).min()).item()
            raise adtte.fault(
                "WRONG_TYPE",
                f"column 'AVAL': the times of {counted} of '{endpoint}' (the first is row {first}) are {beside}",
                "correct AVAL or its unit in these rows, or give their dates",
            )
        yield f"the times of {counted} are {beside}. Are they in the same unit?"
    longest = max(float(dated[LENGTH].max() or 0), 1.0)  # type: ignore[arg-type]
    number = others.filter(pl.col(LENGTH) > FACTOR * longest).height
    if number:
        yield (
            f"{number} of {counted} have times more than {FACTOR} times as long as the longest of the"
            f" {dated.height} that agree with their dates. Are they in the same unit?"
        )


def _beside_others(rows: pl.DataFrame, confirmed: pl.DataFrame) -> Iterator[str]:
    """Times of an endpoint without dates beside those of other endpoints that the dates confirm: a question only."""
    if min(rows.height, confirmed.height) < ENOUGH:
        return
    factor = max(_median(rows), 1.0) / max(_median(confirmed), 1.0)
    if not 1 / FACTOR <= factor <= FACTOR:
        size = f"{factor:.1f} times longer" if factor > 1 else f"{1 / factor:.1f} times shorter"
        yield (
            f"no row has dates, and the times are {size} (median) than those of the endpoints whose dates agree."
            " Is it the same unit?"
        )


def _median(rows: pl.DataFrame) -> float:
    return float(rows[LENGTH].median() or 0)  # type: ignore[arg-type]
