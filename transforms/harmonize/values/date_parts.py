"""From the parts of a date to year, month and day, under the declared order."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

Part = tuple[str, str]
UNKNOWN: Part = ("u", "")


@dataclass(frozen=True, slots=True)
class Found:
    """A date that was read, or why it was not.

    `problem` is None for a date; else `impossible`, `order`, `range`, `placeholder`, `form`,
    `no_year`, `ambiguous`.
    """

    date: dt.date | None = None
    precision: str | None = None
    problem: str | None = None
    two_digit_year: bool = False
    guarded: bool = False  # read, with a remark


def expand_year(digits: str, pivot: int) -> int:
    """A four-digit year; two digits up to `pivot` are 20xx, above it 19xx."""
    year = int(digits)
    if len(digits) > 2:
        return year
    return 2000 + year if year <= pivot else 1900 + year


def make(
    year: str, month: int | None, day: int | None, pivot: int, *, guarded: bool = False
) -> Found:
    """A checked date from its parts; None for month or day makes it partial."""
    number = expand_year(year, pivot)
    two = len(year) <= 2
    if number == 0 or number in (1111, 8888, 9999):
        return Found(problem="placeholder")
    if month is not None and not 1 <= month <= 12:
        return Found(problem="impossible")
    if day is not None and month is not None:
        if not 1 <= day <= calendar.monthrange(number, month)[1]:
            return Found(problem="impossible")
        date = dt.date(number, month, day)
        if date in PLACEHOLDERS:
            return Found(problem="placeholder")
    if not 1900 <= number <= 2100:
        return Found(problem="range")
    precision = "year" if month is None else "month" if day is None else "day"
    return Found(dt.date(number, month or 1, day or 1), precision, None, two, guarded)


PLACEHOLDERS = frozenset(
    dt.date.fromisoformat(text)
    for text in [
        "0001-01-01",
        "1582-10-14",
        "1582-10-15",
        "1753-01-01",
        "1800-01-01",
        "1899-12-30",
        "1899-12-31",
        "1900-01-00",
        "1900-01-01",
        "1904-01-01",
        "1970-01-01",
        "2099-12-31",
        "2100-01-01",
        "2100-12-31",
        "2222-02-22",
        "2999-12-31",
        "3000-01-01",
        "3333-03-03",
    ]
    if not text.endswith("-00")
)


def from_parts(parts: list[Part], order: str, pivot: int, apostrophe: bool = False) -> Found:
    """Year, month and day of the parts, as the declared order says."""
    if any(kind == "n" and len(digits) not in (1, 2, 4) for kind, digits in parts):
        return Found(problem="form")
    months = [i for i, (kind, _) in enumerate(parts) if kind == "m"]
    if len(months) > 1:
        return Found(problem="form")
    if months:
        rest = parts[: months[0]] + parts[months[0] + 1 :]
        return _named_month(int(parts[months[0]][1]), months[0], rest, order, pivot, apostrophe)
    if len(parts) == 3:
        return _three(parts, order, pivot)
    if len(parts) == 2:
        return _two(parts, order, pivot)
    if len(parts) == 1 and parts[0][0] == "n" and len(parts[0][1]) == 4:
        return make(parts[0][1], None, None, pivot)
    return Found(problem="form")


def _is_year(part: Part) -> bool:
    return part[0] == "n" and len(part[1]) == 4


def _named_month(
    month: int, position: int, rest: list[Part], order: str, pivot: int, apostrophe: bool
) -> Found:
    """`12 Mar 2023`, `Mar 12, 2023`, `2023 Mar 12`, `Mar 2023`, `Mai 23`, `UK-APR-2023`."""
    if not rest or rest == [UNKNOWN]:
        return Found(problem="no_year")
    if len(rest) == 1:
        digits = rest[0][1]
        if _is_year(rest[0]):
            return make(digits, month, None, pivot)
        if len(digits) == 2 and (position == 0 or order == "ymd"):
            return make(digits, month, None, pivot, guarded=not apostrophe)
        return Found(problem="no_year")
    if len(rest) != 2:
        return Found(problem="form")
    years = [part for part in rest if _is_year(part)]
    if len(years) == 1:
        year = years[0]
        day = rest[0] if rest[1] is year else rest[1]
    else:
        day, year = (rest[1], rest[0]) if order == "ymd" else (rest[0], rest[1])
    if year[0] != "n" or len(year[1]) not in (2, 4):
        return Found(problem="no_year")
    return _with_day(year[1], month, day, pivot)


def _with_day(year: str, month: int, day: Part, pivot: int) -> Found:
    if day[0] == "u" or day[1] == "00":
        return make(year, month, None, pivot, guarded=True)
    return make(year, month, int(day[1]), pivot)


def _two(parts: list[Part], order: str, pivot: int) -> Found:
    """`2023-05`, `05/2023`, `XX.2023`, `3/23`."""
    years = [part for part in parts if _is_year(part)]
    if len(years) == 2:
        return Found(problem="form")
    if years:
        other = parts[0] if parts[1] is years[0] else parts[1]
        if other[0] == "u" or other[1] == "00":
            return make(years[0][1], None, None, pivot, guarded=True)
        return make(years[0][1], int(other[1]), None, pivot)
    if any(kind == "u" for kind, _ in parts):
        return Found(problem="no_year")
    month, year = (parts[1][1], parts[0][1]) if order == "ymd" else (parts[0][1], parts[1][1])
    if len(year) != 2 or not 1 <= int(month) <= 12:
        return Found(problem="no_year")
    # 3/23 can only be a month and a year where 23 is no month (or, month first, no day)
    if int(year) <= (31 if order == "mdy" else 12):
        return Found(problem="ambiguous")
    return make(year, int(month), None, pivot, guarded=True)


def _three(parts: list[Part], order: str, pivot: int) -> Found:
    """Three numbers, some perhaps unknown: `12.03.2023`, `3/12/23`, `2023-03-XX`."""
    positions = [i for i, part in enumerate(parts) if _is_year(part)]
    if len(positions) > 1 or positions == [1]:
        return Found(problem="form")
    if positions == [0] or (not positions and order == "ymd"):
        year, month, day = parts
        return _resolve(year, month, day, pivot)
    year = parts[2]
    if order == "ymd":
        return Found(problem="order")
    month, day = (parts[0], parts[1]) if order == "mdy" else (parts[1], parts[0])
    found = _resolve(year, month, day, pivot)
    if found.problem == "impossible" and _resolve(year, day, month, pivot).problem is None:
        return Found(problem="order")
    return found


def _resolve(year: Part, month: Part, day: Part, pivot: int) -> Found:
    if year[0] != "n" or len(year[1]) == 1:
        return Found(problem="no_year")
    numbers = [part[1] for part in (year, month, day) if part[0] == "n"]
    if (
        len(numbers) == 3
        and len({digits.strip("0") for digits in numbers}) == 1
        and not int(year[1])
    ):
        return Found(problem="placeholder")
    if len(numbers) == 3 and all(set(digits) == {"9"} for digits in numbers):
        return Found(problem="placeholder")
    if month[0] == "u" or month[1] == "00":
        return make(year[1], None, None, pivot, guarded=True)
    return _with_day(year[1], int(month[1]), day, pivot)
