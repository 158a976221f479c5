"""What stands in date columns and is no date: days from the infusion, quarters."""

from __future__ import annotations

import re
from typing import Any

from transforms.harmonize.values.common import error, warning
from transforms.harmonize.values.date_parts import expand_year

_AFTER = r"(?:\s*(?:nach|post|after|apres|despues de|tras)\b.*)"
_UNIT = r"(?:d|days?|tage?n?|dias?|j|jours?)"
_RELATIVE = (
    re.compile(
        rf"^(?:d|day|tag|dia|j|jour|t)\s*(?P<sign>[+-])?\s*(?P<n>\d{{1,3}})\s*{_UNIT}?{_AFTER}?$"
    ),
    re.compile(rf"^(?P<sign>[+-])\s*(?P<n>\d{{1,3}})\s*{_UNIT}{_AFTER}?$"),
    re.compile(rf"^(?P<sign>)(?P<n>\d{{1,3}})\s*{_UNIT}{_AFTER}$"),
)
_QUARTER = re.compile(
    r"^(?:(?:q|t|quartal|quarter|trimestre|trim)\s*(?P<a>[1-4])|(?P<b>[1-4])\s*(?:\.|st|nd|rd|th|er|e|o)?\s*(?:q|t|quartal|quarter|trimestre|trim)\.?)"
    r"[\s/\-]*(?:de|of)?\s*(?P<year>\d{4}|\d{2})$|^(?P<year2>\d{4})[\s/\-]*q(?P<c>[1-4])$"
)


def relative(plain: str) -> dict[str, Any] | None:
    """`d+45`, `Tag 45`: the days from the infusion."""
    found = next((hit for pattern in _RELATIVE if (hit := pattern.match(plain))), None)
    if found is None:
        return None
    days = int(found["n"]) * (-1 if found["sign"] == "-" else 1)
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
