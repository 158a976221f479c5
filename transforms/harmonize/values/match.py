"""The match key: what two spellings must share to count as the same."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_DASHES = dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-"
)
_QUOTES = dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u02bc\u00b4`"), "'")
_SIGNS = {
    ord("\u2265"): ">=",
    ord("\u2a7e"): ">=",
    ord("\u2267"): ">=",
    ord("\u2264"): "<=",
    ord("\u2a7d"): "<=",
    ord("\u2266"): "<=",
    ord("\u2192"): "->",
    ord("\u21d2"): "->",
    ord("\u279d"): "->",
    ord("\u2794"): "->",
    ord("\u00d7"): "x",
    ord("\u2044"): "/",
    ord("\u2215"): "/",
    ord("\u00b5"): "\u03bc",  # micro sign and Greek mu are one letter to a reader
}
_MARKS = dict.fromkeys(map(ord, "\u00ae\u2122\u00a9"))  # trademark signs say nothing
_TABLE = {**_DASHES, **_QUOTES, **_SIGNS, **_MARKS}
_SPACES = re.compile(r"\s+")
_COMPARISON = re.compile(r"([<>])\s+=")
_TRIM = " .,;:'\"\t\n"


def tidy(text: str) -> str:
    """The text with one kind of dash, quote, arrow and blank; case and accents are kept."""
    text = unicodedata.normalize("NFKC", text.translate(_TABLE)).translate(_TABLE)
    if not text.isascii():
        text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return _SPACES.sub(" ", text).strip()


def fold(text: str) -> str:
    """`tidy` without case and without accents; punctuation is kept."""
    text = tidy(text).casefold()
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", plain).translate(_TABLE)).strip()


@lru_cache(maxsize=65_536)
def match_key(text: str) -> str:
    """The dossier's match key of a spelling.

    NFKC, case-folded, without diacritics, one kind of dash, `>=` and `<=` for their signs, single
    blanks, outer punctuation trimmed (`.,;:` and quotes; `?`, `+`, `-`, `*` and brackets mean
    something in a response and stay). Applying it twice changes nothing.

    Args:
        text: A spelling as read.

    Returns:
        The key; empty for text of blanks and trimmed punctuation alone.

    Source:
        Dossier section 1.7.
    """
    for _ in range(4):  # rare letters need a second round before they are stable
        key = _COMPARISON.sub(r"\1=", fold(text)).strip(_TRIM)
        if key == text:
            break
        text = key
    return text
