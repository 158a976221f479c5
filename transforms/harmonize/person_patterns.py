"""Patterns that point to a person, as data: their files, and what stands for the placeholders in them.

`<UP>` and `<LOW>` are capital and small letters of all Latin, Greek and Cyrillic alphabets, `<LETTER>` any letter; other
placeholders stand for the words of `schemas/spec/identifying_words.csv`, where `~` is a blank.
"""

from __future__ import annotations

import csv
import unicodedata
from functools import cache
from pathlib import Path

import schemas.spec

_LETTERS = [chr(code) for code in (*range(0xC0, 0x530), *range(0x1E00, 0x2000))]
CAPITALS = "A-Z" + "".join(letter for letter in _LETTERS if letter.isupper())
SMALL = "a-z" + "".join(letter for letter in _LETTERS if letter.islower())
_UNDECOMPOSED = str.maketrans(
    {"ı": "i", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"}
)


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a file beside the specs' models."""
    path = Path(schemas.spec.__file__).with_name(name)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ascii_of(name: str) -> str:
    """A text without accents."""
    folded = unicodedata.normalize("NFKD", name).translate(_UNDECOMPOSED)
    return "".join(char for char in folded if not unicodedata.combining(char))


def filled(pattern: str) -> str:
    """A pattern with its placeholders filled; those of words may hold others."""
    for _ in range(2):
        for name, stands in _placeholders().items():
            pattern = pattern.replace(f"<{name}>", stands)
    return pattern


@cache
def _placeholders() -> dict[str, str]:
    words = {
        row["kind"]: "|".join(sorted(row["words"].split(), key=len, reverse=True)).replace("~", " ")
        for row in rows_of("identifying_words.csv")
    }
    signs = {"UP": CAPITALS, "LOW": SMALL, "LETTER": r"[^\W\d_]"}
    # So many and no more: some can be read in two ways, and each more would double the work.
    particle = rf"(?:(?i:{words.pop('OF')})(?:['’]| )|(?i:[dlnost])['’]|Mc|Mac){{0,3}}"
    return {**{kind: f"(?:{some})" for kind, some in words.items()}, **signs, "OF": particle}
