"""Numbers as laboratories write them: decimal marks, operators, ranges, units in the cell."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Literal

import polars as pl

from transforms.harmonize.values.common import (
    MISSING,
    Row,
    error,
    is_missing,
    read_csv,
    result_frame,
    result_rows,
    warning,
)
from transforms.harmonize.values.integers import bare_integer
from transforms.harmonize.values.match import fold, match_key, tidy
from transforms.harmonize.values.units import (
    Quantity,
    find_conversion,
    find_quantity,
    known_units,
    unit_key,
)

_SCHEMA: dict[str, pl.DataType] = {
    "number": pl.Float64(),
    "comparator": pl.String(),
    "unit": pl.String(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "uln_multiple": pl.Float64(),
    "side": pl.String(),
}
_LONGEST = 120  # letters; no number is longer
_LARGEST_MULTIPLE = 50  # above it `250 ULN` is the limit itself, not a multiple
_GROUPS = {",": ".' ", ".": ",' "}
_SUPERSCRIPT = re.compile("[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+")
_RANGE_WORD = r"\s*(?:-|bis|to|a|hasta|au)\s*"
_TIMES = re.compile(
    r"^(?:-?\s*(?:x|\*|fach|fold|veces|fois|mal|times))\s*(?:der|des|das|of|el|la|le|uber)?\s*"
)


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a center writes the numbers of a column.

    Attributes:
        decimal: The declared decimal mark; another mark is an error, never a guess.
        grouping: The declared mark between thousands; None allows the usual ones.
        unit: Unit of the column, where a cell names none.
        quantity: What is measured (`quantities.csv`: name, canonical column or lab test): decides
            canonical unit, factors and rule.
        missing: Declared missing tokens besides the words of four languages.
        as_integer: The column holds whole numbers; `61.0` is one, `61.5` is not.
        rule_id: Rule of an unreadable value, instead of the quantity's.
    """

    decimal: Literal[".", ","] = "."
    grouping: str | None = None
    unit: str | None = None
    quantity: str | None = None
    missing: tuple[str, ...] = ()
    as_integer: bool = False
    rule_id: str | None = None


def parse_numbers(values: Sequence[str | None], fmt: NumberFormat | None = None) -> pl.DataFrame:
    """The numbers of distinct values, in the canonical unit of the quantity.

    Args:
        values: Cells as read.
        fmt: How the center writes numbers.

    Returns:
        `value`, `number` (Float64, canonical unit; the middle of a range), `comparator` (<, <=, >,
        >=, ~ or null), `unit` (as reported), `lower`, `upper` (ends of a range), `uln_multiple`
        (`2x ULN`: then there is no number), `side` (`result=NEGATIVE` for words), then the common
        columns. Errors carry the rule of the quantity, else STR-06.
    """
    return result_frame(values, _SCHEMA, number_rows(values, fmt))


def number_rows(values: Sequence[str | None], fmt: NumberFormat | None = None) -> list[Row]:
    """What `parse_numbers` says, one mapping per value."""
    form = fmt or NumberFormat()

    def missing(value: str | None) -> bool:
        return is_missing(value, "number", form.missing)

    rows = result_rows(values, lambda value: _parse(value, form), missing)
    return [
        _not_done(value, row) if row.get("status") == MISSING else row
        for value, row in zip(values, rows, strict=True)
    ]


def _not_done(value: str | None, row: Row) -> Row:
    """A word that says that nothing was measured is kept as such: an empty cell says less (LAB-07)."""
    result = _words("no_value").get(match_key(value or ""))
    return {**row, "side": f"result={result}"} if result else row


@cache
def _words(kind: str) -> Mapping[str, str]:
    return MappingProxyType(
        {
            match_key(row["spelling"]): row["value"]
            for row in read_csv("number_words")
            if row["kind"] == kind
        }
    )


@cache
def _comparators() -> re.Pattern[str]:
    keys = sorted(_words("comparator"), key=len, reverse=True)
    words = "|".join(
        re.escape(key) + (r"\.?(?=[\s\d])" if key[0].isalpha() else "") for key in keys
    )
    return re.compile(rf"^({words})\s*")


@lru_cache(maxsize=32)
def _number_pattern(decimal: str, grouping: str | None) -> re.Pattern[str]:
    groups = _GROUPS[decimal] if grouping is None else grouping.replace("\u00a0", " ")
    thousands = (
        rf"[1-9]\d{{0,2}}(?P<g>[{re.escape(groups)}])\d{{3}}(?:(?P=g)\d{{3}})*"
        if groups
        else r"(?!)"
    )
    mark = re.escape(decimal)
    return re.compile(
        rf"^[+-]?(?:{thousands}(?:{mark}\d+)?|\d+(?:{mark}\d+)?|{mark}\d+)(?:e[+-]?\d+)?(?![\d.,'])"
    )


def _parse(value: str, fmt: NumberFormat) -> dict[str, Any]:
    quantity = find_quantity(fmt.quantity)
    rule = fmt.rule_id or (quantity.rule_id if quantity else None) or "STR-06"
    if fmt.quantity and quantity is None:
        return error(rule, "it is not known what is measured: the number has no unit to be kept in")
    if len(value) > _LONGEST:
        return error(rule, "a text and no number")
    key = match_key(value)
    result = _words("result").get(key)
    if result:
        return warning("a word instead of a number", side=f"result={result}")
    if key.lstrip("+-") in _words("not_a_number"):
        return error(rule, "a failed calculation, no number: leave the cell empty")
    plain = fold(_SUPERSCRIPT.sub(lambda m: "^" + tidy(m[0]), value)).replace("=<", "<=")
    plain = re.sub(r"^=>", ">=", plain).lstrip("=").strip()
    plain = bare_integer(plain) if fmt.as_integer else plain
    found = _comparators().match(plain)
    comparator = _words("comparator")[match_key(found[1])] if found else None
    rest = plain[found.end() :] if found else plain
    multiple = _of_limit(rest, comparator, fmt, rule)
    return multiple or _measured(rest, comparator, value, fmt, quantity, rule)


def _read(text: str, fmt: NumberFormat) -> tuple[Decimal, str] | None:
    """The number at the start of a text, and what follows it; None if no float can hold it."""
    found = _number_pattern(fmt.decimal, fmt.grouping).match(text)
    if not found:
        return None
    digits = found[0]
    for mark in ".,' " if fmt.decimal == "," else ",' ":
        if mark != fmt.decimal:
            digits = digits.replace(mark, "")
    try:
        number = Decimal(digits.replace(",", "."))
    except InvalidOperation:
        return None
    held = float(number)
    if not math.isfinite(held) or (held == 0) != (number == 0):
        return None
    return number if number else Decimal(0), text[found.end() :]


def _of_limit(
    rest: str, comparator: str | None, fmt: NumberFormat, rule: str
) -> dict[str, Any] | None:
    """`2x ULN`: a multiple of the upper limit, which is no value."""
    read = _read(rest, fmt)
    factor, text = read if read else (Decimal(1), rest)
    text = _TIMES.sub("", text.strip(), count=1) if read else text
    if match_key(text) not in _words("uln") or factor > _LARGEST_MULTIPLE:
        return None
    note = "a multiple of the upper limit: send the value, its unit and the limit"
    row = {"uln_multiple": float(factor), "comparator": comparator, "unit": "xULN"}
    if rule in ("STR-06", "STG-06"):
        return warning(note, "STG-06", **row)
    return error(rule, note, **row)


def _measured(
    rest: str,
    comparator: str | None,
    value: str,
    fmt: NumberFormat,
    quantity: Quantity | None,
    rule: str,
) -> dict[str, Any]:
    mark = "comma" if fmt.decimal == "," else "point"
    expected = f"not understood as a number with decimal {mark}"
    read = _read(rest, fmt)
    if read is None:
        return error(rule, expected)
    number, tail = read
    row: dict[str, Any] = {"comparator": comparator}
    remark = None
    upper = None
    end = _range_end(tail, fmt)
    if end and comparator is None:
        upper, tail = end
        if upper < number:
            return error(rule, "a range whose first end is above the second")
        remark = "a range: the middle is taken, both ends are kept"
    tail, flagged = _strip_flag(tail.strip(), fmt)
    remark = remark or ("a laboratory flag beside the number" if flagged else None)
    if re.match(r"^[.,'\d]", tail) and not _is_unit(tail, fmt):
        return error(rule, expected)
    unit, problem = _unit(tail, value, fmt)
    if problem:
        return error(rule, problem)
    convert, note, problem = _conversion(unit, fmt, quantity)
    if problem:
        return error(rule, problem)
    remark = remark or note
    row["unit"] = unit or fmt.unit
    if upper is not None:
        row["lower"], row["upper"] = convert(number), convert(upper)
        number = (number + upper) / 2
    row["number"] = convert(number)
    if not math.isfinite(row["number"]):
        return error(rule, expected)
    if fmt.as_integer and row["number"] != int(row["number"]):
        return error(rule, "expected a whole number")
    return warning(remark, **row) if remark else row


def _range_end(tail: str, fmt: NumberFormat) -> tuple[Decimal, str] | None:
    found = re.match(rf"^(?P<unit>\s*[^\d\s\-]{{0,12}}?){_RANGE_WORD}(?=\d)", tail)
    if not found or (found["unit"].strip() and unit_key(found["unit"]) not in known_units()):
        return None
    return _read(tail[found.end() :], fmt)


def _strip_flag(tail: str, fmt: NumberFormat) -> tuple[str, bool]:
    """The text without a laboratory's flag for high or low at its end."""
    body, blank, last = tail.rpartition(" ")
    if fmt.as_integer and re.search("[a-z]", last):  # `2a`: no abnormal 2, a grade with a letter
        return tail, False
    if last and match_key(last) in _words("flag") and (not fmt.quantity or not _is_unit(tail, fmt)):
        return body if blank else "", True
    return tail, False


def _is_unit(text: str, fmt: NumberFormat) -> bool:
    return bool(fmt.quantity and find_conversion(fmt.quantity, text))


def _unit(tail: str, value: str, fmt: NumberFormat) -> tuple[str | None, str | None]:
    """The unit in the cell as written, or why what follows the number is none."""
    tail = tail.strip()
    if not tail:
        return None, None
    text, place = tidy(value), fold(value).rfind(tail)
    as_long = place >= 0 and len(text) == len(fold(value))
    written = text[place : place + len(tail)] if as_long else tail
    if fmt.quantity:
        if find_conversion(fmt.quantity, tail):
            return written, None
        kind = "unit" if unit_key(tail) in known_units() or "/" in tail else "text"
        return None, f"unknown {kind} after the number" + _expected_unit(fmt)
    if fmt.unit and unit_key(fmt.unit) == unit_key(tail):
        return written, None
    if fmt.unit is None and unit_key(tail) in known_units():
        return written, None
    return None, "unknown text after the number" + _expected_unit(fmt)


def _expected_unit(fmt: NumberFormat) -> str:
    quantity = find_quantity(fmt.quantity)
    unit = fmt.unit or (quantity.canonical_unit if quantity else None)
    return f"; expected {unit}" if unit else ""


def _conversion(
    unit: str | None, fmt: NumberFormat, quantity: Quantity | None
) -> tuple[Any, str | None, str | None]:
    """A function to the canonical unit, a remark, a problem."""
    if quantity is None:
        return float, None, None
    written = unit or fmt.unit
    if written is None:
        plain = quantity.canonical_unit in ("1", "%")
        return (
            float,
            None if plain else f"no unit declared: taken as {quantity.canonical_unit}",
            None,
        )
    conversion = find_conversion(quantity.name, written)
    if conversion is None:
        return float, None, f"unit not known for this quantity; expected {quantity.canonical_unit}"
    return conversion.apply, None, None
