"""Numbers and dates of workbooks as exact text."""

from __future__ import annotations

import datetime as dt
import re

_DAY_MS = 86_400_000
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.')
_BRACKET = re.compile(r"\[([^\]]*)\]")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
# What Python reads as a number besides (underscores, digits of other scripts) no workbook program writes.
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
# Built-in number formats that show dates or times, with what they show (ECMA-376, 18.8.30).
_BUILT_IN = {
    14: "d.m.y", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm",
    21: "h:mm:ss", 22: "d.m.y h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    **dict.fromkeys((27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58), "d.m.y"),
    **dict.fromkeys((32, 33, 34, 35, 55, 56), "h:mm"),
}  # fmt: skip

NUMBER, DATE, MONTH, YEAR, DURATION = "number", "date", "month", "year", "duration"


def number_text(text: str) -> str:
    """The shortest text that gives the same number back: `5.2`, `61`, `1e-12`."""
    if _INTEGER.fullmatch(text):
        return text
    value = number(text)
    return text if value is None else float_text(value)


def number(text: str) -> float | None:
    """The number of a cell; None if its text is none."""
    return float(text) if _NUMBER.fullmatch(text) else None


def whole(text: str) -> int:
    """A place in the workbook: plain digits.

    Raises:
        ValueError: The text is anything else; a negative one would count from the end.
    """
    if not (text.isascii() and text.strip().isdigit()):
        raise ValueError(text)
    return int(text)


def float_text(value: float) -> str:
    """The shortest text of a float; whole numbers without point below 1e16."""
    value = float(value)
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return repr(value)


def format_kind(code: str | int) -> str:
    """What a number format shows: number, date (with day or time), month, year or duration.

    Args:
        code: The format's text, or the number of a built-in one.
    """
    if isinstance(code, int):
        code = _BUILT_IN.get(code, "")
    if code.strip().lower() in {"general", "standard", "@", ""}:
        return NUMBER
    if re.search(r"\[(h+|m+|s+)\]", code, re.IGNORECASE):
        return DURATION
    shown = _BRACKET.sub("", _QUOTED.sub("", code)).split(";", 1)[0].lower()
    shown = shown.replace("am/pm", "h").replace("general", "").replace("standard", "")
    marks = set(re.findall("[dmyhs]", shown))
    if not marks:
        return NUMBER
    if marks <= {"y"}:
        return YEAR
    if marks == {"m", "y"}:
        return MONTH
    return DATE


def date_text(serial: float, date_system: int, kind: str) -> str:
    """A date cell as ISO text.

    Midnight is left out. Values below one day are times of day. A cell that shows only month and year
    and stands on the first day is `2023-05`: the day was added by Excel. The day 60 of the 1900 system
    is `1900-02-29`, which does not exist, as Excel shows it. Outside Excel's range: the number.

    Args:
        serial: Days since the system's first day.
        date_system: 1900 or 1904.
        kind: As `format_kind` gives it.
    """
    if not -1e7 < serial < 1e7:
        return float_text(serial)
    milliseconds = round(serial * _DAY_MS)
    days, rest = divmod(milliseconds, _DAY_MS)
    if serial < 0 or days > 2_958_465:
        return float_text(serial)
    if kind == DURATION:
        return time_text(milliseconds)
    if days == 0 and date_system == 1900:
        return time_text(rest) if rest else "0"
    if date_system == 1900 and days == 60:
        return "1900-02-29"
    first = (
        dt.date(1904, 1, 1) if date_system == 1904 else dt.date(1899, 12, 31 if days < 60 else 30)
    )
    date = first + dt.timedelta(days)
    if not rest:
        if kind == MONTH and date.day == 1:
            return date.isoformat()[:7]
        if kind == YEAR and (date.month, date.day) == (1, 1):
            return date.isoformat()[:4]
        return date.isoformat()
    return f"{date.isoformat()}T{time_text(rest)}"


def time_text(milliseconds: int) -> str:
    """Milliseconds as HH:MM:SS, with a fraction only if there is one; hours may exceed 24."""
    seconds, part = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}" + (f".{part:03d}".rstrip("0") if part else "")


def unescape(text: str) -> str:
    """Excel's `_x000D_` notation back to the characters that it stands for."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: _character(match.group(1)), text)


def _character(code: str) -> str:
    value = int(code, 16)
    return "\ufffd" if 0xD800 <= value <= 0xDFFF else chr(value)
