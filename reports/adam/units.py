"""The unit of AVAL, row by row: what AVALU says, else PARAM, else days."""

from __future__ import annotations

import re

import polars as pl

from reports.adam.source import Source

DAYS, WEEKS, MONTHS, YEARS = "DAYS", "WEEKS", "MONTHS", "YEARS"
# Spellings in capitals, without a full stop at the end: English, then German and Spanish.
SPELLINGS = {
    DAYS: ("DAY", "DAYS", "DAY(S)", "TAG", "TAGE", "TAGEN", "DÍAS", "DIAS"),
    WEEKS: ("WEEK", "WEEKS", "WEEK(S)", "WK", "WKS", "WOCHE", "WOCHEN", "SEMANAS"),
    MONTHS: (
        "MONTH",
        "MONTHS",
        "MONTH(S)",
        "MO",
        "MOS",
        "MTH",
        "MTHS",
        "MONAT",
        "MONATE",
        "MONATEN",
        "MESES",
    ),
    YEARS: ("YEAR", "YEARS", "YEAR(S)", "YR", "YRS", "JAHR", "JAHRE", "JAHREN", "AÑOS"),
}
# In AVALU alone: in a text, a letter could be anything.
LETTERS = {"D": DAYS, "W": WEEKS, "Y": YEARS}
_CODES = {spelling: unit for unit, spellings in SPELLINGS.items() for spelling in spellings}
_WORD = "|".join(re.escape(word) for word in sorted(_CODES, key=lambda word: (-len(word), word)))
# "(months)", "[in months]", "(months from CAR-T)"; and at the end "in months", ", months", "- months".
_IN_PARENTHESES = re.compile(
    rf"[(\[]\s*(?:TIME\s+)?(?:(?:IN|EN)\s+)?({_WORD})\.?(?:(?:[,;:]|\s+(?:FROM|SINCE|AFTER|TO|UNTIL)\b)[^()\[\]]*)?\s*[)\]]"
)
_AT_THE_END = re.compile(rf"(?:\b(?:IN|EN)\s|[,;:/–-]\s*)({_WORD})\.?\s*$")
_ANYWHERE = re.compile(rf"(?<!\w)(?:{_WORD})(?!\w)")
SEVERAL = "SEVERAL"
UNIT, TOLD_BY = "unit of AVAL", "unit told by"
FIX = "write DAYS, WEEKS, MONTHS or YEARS into AVALU, the same as PARAM says"


def days_of(days_per_month: float) -> dict[str, float]:
    """Length of each unit in days."""
    return {DAYS: 1.0, WEEKS: 7.0, MONTHS: days_per_month, YEARS: 12 * days_per_month}


def unit_in(text: str) -> str | None:
    """The unit that a PARAM names; `SEVERAL` if it names more than one; None if it names none."""
    capitals = text.upper()
    words = (*_IN_PARENTHESES.findall(capitals), *_AT_THE_END.findall(capitals))
    found = {_CODES[word] for word in words}
    if len(found) > 1:
        return SEVERAL
    return next(iter(found), None)


def mentions_other(text: str) -> bool:
    """Whether a PARAM has the word of a unit other than days anywhere."""
    return any(_CODES[word] != DAYS for word in _ANYWHERE.findall(text.upper()))


def with_units(adtte: Source) -> Source:
    """The rows with `UNIT`, and `TOLD_BY`: AVALU, PARAM, or empty where nothing tells it.

    Args:
        adtte: Numbered rows; AVALU and PARAM as text, if there.

    Raises:
        FileError: AVALU is no unit of time, PARAM names two, both contradict, or an endpoint has a unit
            other than days in some rows and none in others.
    """
    frame = adtte.frame
    nothing = pl.lit(None, pl.String)
    stated = pl.col("AVALU").str.to_uppercase().str.strip_suffix(".")
    codes = {**_CODES, **LETTERS}
    by_unit = by_param = nothing
    if "AVALU" in frame.columns:
        by_unit = stated.replace_strict(codes, default=None, return_dtype=pl.String)
    if units := _units_of(frame):
        by_param = pl.col("PARAM").replace_strict(units, default=None, return_dtype=pl.String)
    timed = pl.col("AVAL").is_not_null()
    marked = Source(frame.with_columns(_avalu=by_unit, _param=by_param), adtte.file)
    if "AVALU" in frame.columns:
        unknown = timed & pl.col("AVALU").is_not_null() & pl.col("_avalu").is_null()
        marked.refuse_times(
            unknown, "AVALU", "units other than days, weeks, months and years",
            "write DAYS, WEEKS, MONTHS or YEARS",
        )  # fmt: skip
    marked.refuse_times(
        timed & pl.col("_param").eq(SEVERAL), "PARAM", "names more than one unit", "name one"
    )
    marked.refuse_times(
        timed & pl.col("_avalu").ne(pl.col("_param")),
        "AVALU", "says another unit than PARAM", FIX,
    )  # fmt: skip
    unit = pl.coalesce("_avalu", "_param")
    told_by = pl.when(pl.col("_avalu").is_not_null()).then(pl.lit("AVALU"))
    found = marked.frame.with_columns(
        unit.alias(UNIT),
        told_by.when(pl.col("_param").is_not_null()).then(pl.lit("PARAM")).alias(TOLD_BY),
    ).drop("_avalu", "_param")
    made = Source(found, adtte.file)
    others = (timed & pl.col(UNIT).ne(DAYS)).fill_null(False).any().over("PARAMCD")
    made.refuse_times(
        timed & pl.col(UNIT).is_null() & others, "AVAL",
        "no unit, beside rows of the endpoint that are not in days", FIX,
    )  # fmt: skip
    return Source(found.with_columns(pl.col(UNIT).fill_null(DAYS)), adtte.file)


def _units_of(frame: pl.DataFrame) -> dict[str, str]:
    """PARAM → unit, of those that name one."""
    if "PARAM" not in frame.columns:
        return {}
    texts = frame["PARAM"].drop_nulls().unique().to_list()
    return {text: unit for text in texts if (unit := unit_in(text))}
