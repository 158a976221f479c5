"""Plain dates and numbers of single texts, exactly as the expressions of `fast` read columns of them."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

from transforms.harmonize.fast import DOUBTFUL, FIRST, LAST
from transforms.harmonize.units import factor_of
from transforms.harmonize.values import NumberFormat
from transforms.harmonize.verdicts import Form, Verdict

_ONE_DATE = re.compile(r"([0-9]{2})([./-])([0-9]{2})\2([0-9]{4})|([0-9]{4})-([0-9]{2})-([0-9]{2})")
_NO_DAYS = frozenset(DOUBTFUL)


def _date(text: str, order: str) -> dt.date | None:
    """What `read_date` and `sure` say of one text, whatever its mark; declared tokens aside."""
    found = _ONE_DATE.fullmatch(text)
    if found is None:
        return None
    first, _, second, last, year, month, day = found.groups()
    if year is None:
        if order == "ymd":
            return None
        year, month, day = (last, second, first) if order == "dmy" else (last, first, second)
    try:
        date = dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return date if FIRST <= date <= LAST and date not in _NO_DAYS else None


_ONE_NUMBER = {
    mark: re.compile(rf"([<>]?)([0-9]{{1,15}}(?:{re.escape(mark)}[0-9]{{1,15}})?)") for mark in ",."
}


def _number(text: str, decimal: str) -> tuple[float, str | None] | None:
    """What `read_number` says of one text without marks between thousands, and its operator."""
    found = _ONE_NUMBER[decimal].fullmatch(text)
    return (float(found[2].replace(",", ".")), found[1] or None) if found else None


def plain_verdict(text: str, form: Form) -> Verdict | None:
    """A date or number in the plain form, which the parsers of `values` read in the same way."""
    if form.dates is not None and form.precision is None:
        date = _date(text, form.dates.order)
        return Verdict((date, "day", None)) if date is not None else None
    if form.numbers is not None and _is_canonical(form.numbers):
        found = _number(text, form.numbers.decimal)
        return Verdict((*found, form.numbers.unit, None)) if found is not None else None
    return None


@lru_cache(maxsize=2048)
def _is_canonical(form: NumberFormat) -> bool:
    """True if numbers are kept as they are written."""
    return factor_of(form.quantity, form.unit) == 1
