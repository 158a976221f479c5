"""Plain dates and numbers by expressions, exactly as the parsers of `values` read them.

Only what is beyond doubt is read here: the declared order with four-digit years, digits with at most
the declared decimal mark. Everything else is null and goes once per distinct value to the parsers.
"""

from __future__ import annotations

import datetime as dt
import re

import polars as pl

from transforms.harmonize.values.date_parts import PLACEHOLDERS

FIRST, LAST = dt.date(1901, 1, 2), dt.date(2098, 12, 31)
DOUBTFUL = sorted(day for day in PLACEHOLDERS if FIRST <= day <= LAST)
_SANE = (pl.lit(FIRST), pl.lit(LAST))
_PLACEHOLDERS = tuple(pl.lit(day) for day in DOUBTFUL)
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_SHORT = re.compile(r"\d\d([./-])\d\d\1\d{4}")
_DEFAULT = {"dmy": "%d.%m.%Y", "mdy": "%m/%d/%Y", "ymd": "%Y-%m-%d"}
_PLAIN_DATE = r"^(?:\d\d([./-])\d\d([./-])\d{4}|\d{4}-\d\d-\d\d)$"
_STAMP = (
    r"^\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
    r"(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)?$"
)


def date_form(sample: str | None, order: str) -> str:
    """The strptime form that the column's first value shows, under the declared order."""
    if sample is not None and _ISO.match(sample.strip()):
        return "%Y-%m-%d"
    short = _SHORT.match(sample.strip()) if sample is not None else None
    if short and order != "ymd":
        mark = short[1]
        return f"%d{mark}%m{mark}%Y" if order == "dmy" else f"%m{mark}%d{mark}%Y"
    return _DEFAULT[order]


def read_date(text: pl.Expr, form: str) -> pl.Expr:
    """Dates of cells of exactly that form; `sure` must look at the result."""
    return text.str.to_date(form, strict=False, cache=False)


def sure(date: pl.Expr, text: pl.Expr, missing: tuple[str, ...]) -> pl.Expr:
    """True where such a date is beyond doubt: ten characters, sane year, no placeholder."""
    test = (text.str.len_bytes() == 10) & date.is_between(*_SANE)
    for placeholder in _PLACEHOLDERS:
        test = test & (date != placeholder)
    declared = [token for token in missing if re.match(_PLAIN_DATE, token)]
    return test & ~text.is_in(declared) if declared else test


def stamps(texts: pl.Series) -> pl.Series:
    """Dates of ISO time stamps among distinct values (the local day); null for all others."""
    name = texts.name
    date = pl.col(name).str.head(10).str.to_date("%Y-%m-%d", strict=False)
    found = pl.when(pl.col(name).str.contains(_STAMP)).then(date)
    frame = texts.to_frame().select(found.alias(name))
    keep = pl.col(name).is_between(FIRST, LAST) & ~pl.col(name).is_in(DOUBTFUL)
    return frame.select(pl.when(keep).then(pl.col(name)).alias(name)).to_series()


_MARKS = {",": ".'", ".": ",'"}  # usual marks between thousands, by decimal mark


def thousands(decimal: str, grouping: str | None) -> str:
    """Marks between thousands that are read here: the declared one, or the usual ones."""
    marks = _MARKS[decimal] if grouping is None else grouping
    return "".join(mark for mark in marks if mark in ".,'" and mark != decimal)


def marks_seen(sample: pl.Series, marks: str) -> str:
    """Those of the marks that stand in a sample of the column."""
    return "".join(m for m in marks if sample.str.contains(m, literal=True).any())


def read_number(text: pl.Expr, decimal: str, missing: tuple[str, ...], marks: str = "") -> pl.Expr:
    """Numbers of cells like `5`, `5,2`, `<0,30`, `>90` and, with marks, `1.234,5`; else null."""
    shape = rf"^[<>]?{_body(marks)}(?:{re.escape(decimal)}\d{{1,15}})?$"
    test = text.str.contains(shape)
    declared = [token for token in missing if re.match(shape, token)]
    if declared:
        test = test & ~text.is_in(declared)
    if marks:
        old, new = ["<", ">", *marks, decimal], ["", "", *[""] * len(marks), "."]
        digits = text.str.replace_many(old, new)
    else:
        digits = text.str.strip_chars_start("<>")
        if decimal == ",":
            digits = digits.str.replace(",", ".", literal=True)
    return pl.when(test).then(digits.cast(pl.Float64, strict=False))


def operator(known: pl.Expr, text: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The operator of cells that `read_number` has read."""
    below = pl.when(known & text.str.starts_with("<")).then(pl.lit("<", dtype))
    return below.when(known & text.str.starts_with(">")).then(pl.lit(">", dtype))


def _body(marks: str) -> str:
    grouped = "|".join(rf"[1-9]\d{{0,2}}(?:{re.escape(m)}\d{{3}})+" for m in marks)
    return rf"(?:\d{{1,15}}|{grouped})" if marks else r"\d{1,15}"


def grouped_numbers(texts: pl.Series, decimal: str, grouping: str | None) -> pl.DataFrame:
    """Numbers with thousands marks or an operator among distinct values.

    Returns:
        `number` (null where the text is anything else) and `comparator`, in the order of `texts`.
    """
    marks = thousands(decimal, grouping)
    shape = rf"^(<=|>=|<|>)?({_body(marks)}(?:{re.escape(decimal)}\d{{1,12}})?)$"
    parts = texts.to_frame("text").with_columns(
        pl.col("text").str.extract_groups(shape).alias("part")
    )
    digits = pl.col("part").struct[1].str.replace_many([*marks, decimal], [*[""] * len(marks), "."])
    return parts.select(
        digits.cast(pl.Float64, strict=False).alias("number"),
        pl.col("part").struct[0].alias("comparator"),
    )
