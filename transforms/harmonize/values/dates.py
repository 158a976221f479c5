"""Dates in every local form: what day, month or year they tell, and what they leave open."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from transforms.harmonize.values.common import (
    Row,
    error,
    is_missing,
    result_frame,
    result_rows,
    warning,
)
from transforms.harmonize.values.date_parts import PLACEHOLDERS, Found, expand_year, from_parts
from transforms.harmonize.values.date_special import quarter, relative
from transforms.harmonize.values.date_tokens import Tokens, status_phrases, strip_time, tokenize
from transforms.harmonize.values.match import fold, match_key, tidy

Order = Literal["dmy", "mdy", "ymd"]

_SCHEMA: dict[str, pl.DataType] = {
    "date": pl.Date(),
    "precision": pl.String(),
    "hint": pl.String(),
    "relative_days": pl.Int32(),
    "side": pl.String(),
    "two_digit_year": pl.Boolean(),
}
_WORDS = {"dmy": "day.month.year", "mdy": "month/day/year", "ymd": "year-month-day"}
_LONGEST = 120  # letters; no date is longer, and free text must not cost time
_SPLIT = re.compile(
    r"(?P<open>\s+(?:und|u\.|and|y|e|et|bis|to|until|hasta|a|al|au|or|oder|bzw\.?|o|ou|then|dann)\s+|\s*(?:;|,|\||&|\+|->|\n)\s*|\s+[-/(]\s*|\s*[-/(]\s+|\s+)"
    r"|(?P<tight>[-/(])"
)


@dataclass(frozen=True, slots=True)
class DateFormat:
    """How a center writes the dates of a column.

    Attributes:
        order: Declared order of day and month; a value that contradicts it is an error, never
            turned round.
        pivot: Two-digit years up to it are 20xx, above it 19xx.
        excel_serials: Bare numbers are day numbers of a workbook.
        date_system: 1900 or 1904: the workbook's base.
        missing: Declared missing tokens besides the words of four languages.
        language: Language of the center; month names of all four are understood anyway.
        latest: Day of the export: a two-digit year is not expanded beyond it.
        year_column: The column asks for a year: `1958` and `58` (remark DAT-03) are complete.
    """

    order: Order = "dmy"
    pivot: int = 49
    excel_serials: bool = False
    date_system: int = 1900
    missing: tuple[str, ...] = ()
    language: str | None = None
    latest: dt.date | None = None
    year_column: bool = False


@dataclass(frozen=True, slots=True)
class OrderProof:
    """What the values of a column say about the declared order of day and month.

    Attributes:
        proven: At least one value is possible in the declared order alone.
        proving: Positions of such values.
        contradicting: Positions of values that are possible in the other order alone.
    """

    proven: bool
    proving: tuple[int, ...]
    contradicting: tuple[int, ...]


def parse_dates(values: Sequence[str | None], fmt: DateFormat | None = None) -> pl.DataFrame:
    """The dates of distinct values.

    Args:
        values: Cells as read.
        fmt: How the center writes dates.

    Returns:
        `value`, `date` (Date, the first possible day), `precision` (day, month, year or null),
        `hint` (`first third`, `middle third`, `last third`, `approximate`, or an interval that is
        no date), `relative_days` (Int32, days from the infusion for `d+45`), `side` (what a text
        in the date column tells: `vital_status=ALIVE`), `two_digit_year`, then the common columns.
        An error has no date, except two dates in a cell: the first is given. Rules: DAT-01 not a
        date, DAT-02 contradicts the order, DAT-03 two-digit year, DAT-04 bare number, DAT-05
        placeholder.
    """
    return result_frame(values, _SCHEMA, date_rows(values, fmt))


def date_rows(values: Sequence[str | None], fmt: DateFormat | None = None) -> list[Row]:
    """What `parse_dates` says, one mapping per value."""
    form = fmt or DateFormat()

    def missing(value: str | None) -> bool:
        return is_missing(value, "date", form.missing)

    return result_rows(values, lambda value: parse_date(value, form), missing)


def prove_order(values: Sequence[str | None], order: Order) -> OrderProof:
    """Whether the values prove the declared order, and which contradict it.

    Args:
        values: Cells as read.
        order: The declared order.

    Returns:
        Positions in `values`; ISO dates, month names and partial dates prove nothing.
    """
    other: Order = "mdy" if order == "dmy" else "dmy"
    proving, contradicting = [], []
    for i, value in enumerate(values):
        if value is None or not value.strip():
            continue
        tokens = tokenize(value)
        if len(tokens.parts) != 3 or any(kind != "n" for kind, _ in tokens.parts):
            continue
        if len(tokens.parts[0][1]) == 4:
            continue
        here = from_parts(tokens.parts, order, 49).problem
        there = from_parts(tokens.parts, other, 49).problem
        if here is None and there == "order":
            proving.append(i)
        elif here == "order":
            contradicting.append(i)
    return OrderProof(bool(proving), tuple(proving), tuple(contradicting))


def parse_date(value: str, fmt: DateFormat) -> dict[str, Any]:
    """The verdict on one value that is not missing: the columns of `parse_dates` that it fills."""
    if len(value) > _LONGEST:
        return error("DAT-01", "a text and no date: give one date")
    text = tidy(value)
    key = match_key(text)
    side = status_phrases().get(key)
    if side:
        return warning("text instead of a date: it tells a status", side=side)
    plain = fold(text).strip(" ,;")
    special = relative(plain) or quarter(plain, fmt.pivot)
    if special:
        return special
    number = re.fullmatch(r"(\d{1,8})(?:[.,](\d+))?", strip_time(plain)[0])
    if number and not (number[2] and len(number[1]) <= 2):
        bare = _bare_number(number[1], number[2], fmt)
        if bare:
            return bare
    return _single(plain, fmt) or _two_dates(plain, fmt) or _not_a_date(plain, fmt)


def _bare_number(whole: str, fraction: str | None, fmt: DateFormat) -> dict[str, Any] | None:
    """Digits alone: a year, a compact date, a workbook's day number."""
    if len(whole) == 8 and not fraction:
        return _compact(whole, fmt)
    number = int(whole)
    if len(whole) == 4 and 1900 <= number <= 2100 and not (fraction or "").strip("0"):
        return {"date": dt.date(number, 1, 1), "precision": "year"}
    if fmt.year_column and len(whole) == 2 and not fraction:
        year = expand_year(whole, fmt.pivot)
        return warning(
            "two-digit year: give four digits",
            "DAT-03",
            date=dt.date(year, 1, 1),
            precision="year",
            two_digit_year=True,
        )
    if fmt.excel_serials and 61 <= number <= 73050:
        return warning(
            f"day number of a workbook, base {fmt.date_system}", **_from_serial(number, fmt)
        )
    if len(whole) == 5 and 20000 <= number <= 60000:
        note = "a bare number: read as a day number of a workbook; confirm or send dates as dates"
        return warning(note, "DAT-04", **_from_serial(number, fmt))
    if len(whole) == 6 and not fraction:
        return _year_month(whole)
    return None


def _from_serial(number: int, fmt: DateFormat) -> dict[str, Any]:
    base = dt.date(1904, 1, 1) if fmt.date_system == 1904 else dt.date(1899, 12, 30)
    return {"date": base + dt.timedelta(days=number), "precision": "day"}


def _compact(digits: str, fmt: DateFormat) -> dict[str, Any] | None:
    """`20230331`; year last (`31032023`) only where year first is impossible."""
    if set(digits) <= {"0"} or set(digits) <= {"9"} or digits == "11111111":
        return _verdict(Found(problem="placeholder"), Tokens(), fmt)
    first = [("n", digits[:4]), ("n", digits[4:6]), ("n", digits[6:])]
    found = from_parts(first, "ymd", fmt.pivot)
    if found.problem == "impossible" or (found.problem == "range" and fmt.order != "ymd"):
        last = [("n", digits[:2]), ("n", digits[2:4]), ("n", digits[4:])]
        other = from_parts(last, fmt.order, fmt.pivot)
        if fmt.order != "ymd" and 1900 <= int(digits[4:]) <= 2100:
            found = other
    return _verdict(found, Tokens(), fmt)


def _year_month(digits: str) -> dict[str, Any] | None:
    """`202305`; six digits that could also be a day, a month and a two-digit year are not read."""
    year, month = int(digits[:4]), int(digits[4:])
    if 1900 <= year <= 2100 and year % 100 > 12 and 1 <= month <= 12:  # no month 13, 14, ...
        return {"date": dt.date(year, month, 1), "precision": "month"}
    return None


def _single(plain: str, fmt: DateFormat) -> dict[str, Any] | None:
    """The verdict on one date, or None if the text is not one date."""
    tokens = tokenize(plain)
    if tokens.strange or tokens.interval or not tokens.parts or tokens.bad_time:
        return None
    if tokens.status not in (None, "vital_status=DEAD"):
        return None
    if all(kind == "u" for kind, _ in tokens.parts):
        return {"status": "missing"}
    found = from_parts(tokens.parts, fmt.order, fmt.pivot, tokens.apostrophe)
    if found.problem == "form":
        return None
    if found.problem == "order" and not any(
        from_parts(tokens.parts, order, fmt.pivot, tokens.apostrophe).date
        for order in ("dmy", "mdy", "ymd")
    ):
        return _problem("day", fmt)  # no day in any order: 31.02.2023 mixes nothing up
    return _verdict(found, tokens, fmt)


def _verdict(found: Found, tokens: Tokens, fmt: DateFormat) -> dict[str, Any]:
    if found.problem:
        return _problem(found.problem, fmt)
    assert found.date is not None
    row: dict[str, Any] = {
        "date": found.date,
        "precision": found.precision,
        "two_digit_year": found.two_digit_year,
    }
    if found.date in PLACEHOLDERS and found.precision == "day":
        return _problem("placeholder", fmt)
    if found.two_digit_year and fmt.latest is not None and found.date > fmt.latest:
        return error("DAT-03", "the two-digit year leads beyond the export: give four digits")
    if found.two_digit_year and fmt.year_column:
        return warning("two-digit year: give four digits", "DAT-03", **row)
    if tokens.status:
        return warning("a status beside the date", side=tokens.status, **row)
    if tokens.hint and found.precision != "day":
        return warning("part of a month or year", hint=tokens.hint, **row)
    if tokens.approximate:
        return warning("marked as approximate", hint="approximate", **row)
    if found.guarded:
        return warning("a part is unknown or the year has two digits", **row)
    return row


def _problem(problem: str, fmt: DateFormat) -> dict[str, Any]:
    expected = f"expected {_WORDS[fmt.order]}"
    if problem == "order":
        return error("DAT-02", f"contradicts the declared order of day and month; {expected}")
    if problem == "placeholder":
        return error("DAT-05", "a placeholder, no date: leave the cell empty if unknown")
    if problem == "range":
        return error("DAT-01", "the year lies outside 1900 to 2100")
    if problem == "no_year":
        return error("DAT-01", f"the year is missing; {expected}")
    if problem == "ambiguous":
        return error("DAT-01", "month and year or day and month? Give the year with four digits")
    return error("DAT-01", f"no such day in the calendar; {expected}")


def _two_dates(plain: str, fmt: DateFormat) -> dict[str, Any] | None:
    """Two dates in one cell: the first is kept, and it is an error."""
    for found in _SPLIT.finditer(plain):
        left = _single(plain[: found.start()], fmt)
        if left is None or left.get("date") is None:
            continue
        rest = plain[found.end() :].strip(" )")
        right = _single(rest, fmt) or _two_dates(rest, fmt)
        if right is None or right.get("date") is None:
            continue
        if found["tight"] and (left["precision"], right["precision"]) != ("day", "day"):
            continue
        if left["date"] == right["date"] and right.get("status") != "error":
            return warning("the same date twice", date=left["date"], precision=left["precision"])
        kept = {name: left[name] for name in ("date", "precision")}
        return error("DAT-01", "two dates in one cell: give one", **kept)
    return None


def _not_a_date(plain: str, fmt: DateFormat) -> dict[str, Any]:
    if tokenize(plain).interval:
        return error("DAT-01", "a span of time is no date: give at least month and year")
    return error("DAT-01", f"not understood as a date; expected {_WORDS[fmt.order]}")
