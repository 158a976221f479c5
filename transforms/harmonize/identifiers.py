"""What in headers and cells points to a person."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import schemas.spec

E_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"
# A phone number: a leading + or 0, then at least eight digits with blanks, slashes or hyphens between.
PHONE = r"(?:\+|\b00|\b0)[1-9](?:[ /()-]{0,2}\d){7,13}\b"
_CELL = re.compile(f"{E_MAIL}|{PHONE}")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    path = Path(schemas.spec.__file__).with_name("identifiers.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple((re.compile(row["pattern"]), row["what"]) for row in csv.DictReader(file))


@cache
def identifying_header(header: str) -> str | None:
    """What a header says of a person ('a name', 'a phone number'), or None."""
    folded = unicodedata.normalize("NFKD", header.casefold().replace("ß", "ss"))
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    words = " ".join(re.findall(r"[a-z0-9]+", plain))
    for pattern, what in _patterns():
        if pattern.fullmatch(words) or pattern.fullmatch(words.replace(" ", "")):
            return what
    return None


def identifying_values(values: Iterable[str]) -> list[str]:
    """Those of distinct cell values that hold an e-mail address or a phone number."""
    return [value for value in values if _CELL.search(_DATE.sub(" ", value))]
