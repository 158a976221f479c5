"""What stands in date columns and is no date: days from the infusion, quarters."""

from __future__ import annotations

import re
from typing import Any

from transforms.harmonize.values.common import error, warning
from transforms.harmonize.values.date_parts import expand_year

_RELATIVE = re.compile(
    r"^(?:d|day|tag|dia|j|jour|t)?\s*(?P<sign>[+-]|\s)\s*(?P<n>\d{1,4})\s*(?P<unit>d|days?|tage?n?|dias?|j|jours?)?"
    r"(?:\s*(?:nach|post|after|apres|despues de|tras)\b.*)?$"
)
_DAY_NUMBER = re.compile(r"^(?:d|day|tag|dia|jour)\s*(?P<n>\d{1,4})$")
_QUARTER = re.compile(
    r"^(?:(?:q|t|quartal|quarter|trimestre|trim)\s*(?P<a>[1-4])|(?P<b>[1-4])\s*(?:\.|st|nd|rd|th|er|e|o)?\s*(?:q|t|quartal|quarter|trimestre|trim)\.?)"
    r"[\s/\-]*(?:de|of)?\s*(?P<year>\d{4}|\d{2})$|^(?P<year2>\d{4})[\s/\-]*q(?P<c>[1-4])$"
)


def relative(plain: str) -> dict[str, Any] | None:
    """`d+45`, `Tag 45`: the days from the infusion."""
    found = _RELATIVE.match(plain) if not plain[:1].isdigit() else None
    day = _DAY_NUMBER.match(plain)
    if not found and not day:
        return None
    if found and not (found["sign"] in "+-" and (plain[0].isalpha() or found["unit"])):
        return None
    days = int(found["n"] if found else day["n"])  # type: ignore[index]
    if found and found["sign"] == "-":
        days = -days
    return warning("days from the infusion, no date", relative_days=days)


def quarter(plain: str, pivot: int) -> dict[str, Any] | None:
    """`Q2 2023`: an error with the months as hint."""
    found = _QUARTER.match(plain)
    if not found:
        return None
    number = int(found["a"] or found["b"] or found["c"])
    year = expand_year(found["year"] or found["year2"], pivot)
    span = f"{year}-{3 * number - 2:02d}/{year}-{3 * number:02d}"
    return error("DAT-01", "a quarter is no date: give at least month and year", hint=span)
