"""Cutting the text of a date cell into numbers, months, unknown parts and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from transforms.harmonize.values.common import read_csv
from transforms.harmonize.values.match import fold, match_key

_TIME = re.compile(
    r"(?<=\d)(?:\s*t\s*|\s*,\s*|\s+|:)"
    r"(?:(?P<h>\d{1,2})(?::(?P<m>\d{2})(?::(?P<s>\d{2}))?(?:[.,]\d+)?|h(?P<mh>\d{2})|[.](?P<mu>\d{2})(?=\s*(?:uhr|h)\b)))"
    r"\s*(?:a\.?m\.?|p\.?m\.?|uhr|h|hrs)?"
    r"\s*(?:z|utc|gmt|cet|cest|mez|mesz|est|edt|cst|cdt|mst|mdt|pst|pdt)?"
    r"\s*(?:[+-]\d{2}(?::?\d{2})?)?(?:\s*\[[^\]]*\])?$"
)
_COMPACT_TIME = re.compile(
    r"^(?P<date>\d{8})(?:t|\s)?(?P<h>\d{2})(?P<m>\d{2})(?:\d{2}(?:[.,]\d+)?)?(?:z|[+-]\d{2}:?\d{2})?$"
)
_TOKEN = re.compile(r"\d+|[^\W\d_]+|\?+|_+|'|[^\w\s.\-/,()\[\];:']")
_DASHED_UNKNOWN = re.compile(r"(?:(?<=^)|(?<=[./ ]))--?(?=[./])|(?<=[./])--?(?=$|[./])")


@dataclass(slots=True)
class Tokens:
    """The parts of a date: (`n`, digits), (`m`, month number) or (`u`, ''), and what stood beside."""

    parts: list[tuple[str, str]] = field(default_factory=list)
    hint: str | None = None
    approximate: bool = False
    apostrophe: bool = False
    interval: bool = False
    status: str | None = None
    strange: bool = False
    bad_time: bool = False


@cache
def _words() -> Mapping[str, tuple[str, str]]:
    """Folded word → kind and value, for single words of `date_words.csv`."""
    return MappingProxyType(
        {
            match_key(row["spelling"]): (row["kind"], row["value"])
            for row in read_csv("date_words")
            if row["kind"] != "status"
        }
    )


@cache
def status_phrases() -> Mapping[str, str]:
    """Match key of a phrase in a date column → the `column=CODE` that it really tells."""
    return MappingProxyType(
        {
            match_key(row["spelling"]): row["value"]
            for row in read_csv("date_words")
            if row["kind"] == "status"
        }
    )


def strip_time(text: str) -> tuple[str, bool]:
    """The text without a time of day and offset, and whether that time was possible.

    The local date is kept: converting to UTC would shift the day.
    """
    compact = _COMPACT_TIME.match(text)
    if compact:
        possible = int(compact["h"]) <= 24 and int(compact["m"]) < 60
        return compact["date"], possible
    found = _TIME.search(text)
    if not found:
        return text, True
    minute = int(found["m"] or found["mh"] or found["mu"] or 0)
    possible = int(found["h"]) <= 24 and minute < 60 and int(found["s"] or 0) <= 60
    return text[: found.start()], possible


def tokenize(text: str) -> Tokens:
    """The parts of one date, in the order in which they stand."""
    tokens = Tokens()
    plain, possible = strip_time(fold(text).strip(" ,;()[]\"'"))
    tokens.bad_time = not possible
    if re.search(r"\d\s*\(?\?+\)?$", plain) and not re.search(r"[./-]\s*\?+$", plain):
        plain, tokens.approximate = plain.rstrip("?() "), True
    plain = re.sub(r"(?<=\d)_(?=\d)", "-", _DASHED_UNKNOWN.sub("xx", plain))
    for token in _TOKEN.findall(plain):
        _take(token, tokens)
    return tokens


def _take(token: str, tokens: Tokens) -> None:
    if token.isdecimal() and token.isascii():
        tokens.parts.append(("n", token))
    elif token[0] in "?_":
        tokens.parts.append(("u", ""))
    elif token == "'":
        tokens.apostrophe = True
    elif token == "~":
        tokens.approximate = True
    else:
        _take_word(token, tokens)


def _take_word(token: str, tokens: Tokens) -> None:
    kind, value = _words().get(token, ("", ""))
    if kind == "month":
        tokens.parts.append(("m", value))
    elif kind == "unknown":
        tokens.parts.append(("u", ""))
    elif kind == "hint":
        tokens.hint, tokens.approximate = (value, False) if tokens.hint is None else (None, True)
    elif kind == "approximate":
        tokens.approximate = True
    elif kind == "interval":
        tokens.interval = True
    elif token in status_phrases():
        tokens.status = status_phrases()[token]
    elif kind != "filler":
        tokens.strange = True
