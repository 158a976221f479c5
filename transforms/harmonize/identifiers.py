"""What in headers and cells points to a person.

Cells: e-mail, phone, insurance and record numbers, full birth dates, addresses, and names: after a title or a label
(`Herr`, `Name:`), or a usual German, English or Spanish given name beside a capitalized word. Patterns and names
are data (`schemas/spec/identifying_cells.csv`, `given_names.csv`). A rare name alone is not recognised.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import schemas.spec

_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?!\d)"
)
BIRTH = "a full birth date"
_CAPITALS = "A-ZÄÖÜÁÉÍÓÚÑ"
_WORD = rf"[{_CAPITALS}][^\W\d_A-Z]{{2,}}(?:-[{_CAPITALS}][^\W\d_]+)?"
_SHOUTED = re.compile(rf"\b[{_CAPITALS}]{{3,}}\b")
_OF = r"(?:von |van |de |del |de la |de los |O['’]|Mc|Mac)?"
# Words that stand beside a given name and make no name of it: eponyms, doses, words of therapy.
_NO_SURNAME = (
    r"(?!(?:Dosis|Dose|Zyklus|Therapie|Cycle|Protokoll|Protocol|Hospital|Klinik|Clinic)\b)"
)
# Nobody is told by a cell without any of these: digits in a row, @, or two words of which one is capitalized.
_WORTH = re.compile(rf"\d{{2}}|@|\(at\)|\[at\]|[{_CAPITALS}][\w.'’-]*[\s,:=]")


def _file(name: str) -> list[dict[str, str]]:
    path = Path(schemas.spec.__file__).with_name(name)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = _file("identifiers.csv")
    return tuple((re.compile(row["pattern"]), row["what"]) for row in rows)


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


@cache
def _cells() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Birth dates; everything else with digits or labels, dates taken out before; names; cells of a name alone."""
    rows = _file("identifying_cells.csv")
    births = "|".join(f"(?:{row['pattern']})" for row in rows if row["what"] == BIRTH)
    others = "|".join(f"(?:{row['pattern']})" for row in rows if row["what"] != BIRTH)
    given = {name for row in _file("given_names.csv") for name in row["names"].split()}
    names = "|".join(sorted(given | {_ascii(name) for name in given}, key=len, reverse=True))
    double = rf"\b(?:{names})\b(?:[- ](?:{names})\b)*"
    pair = rf"{double} (?:[{_CAPITALS}]\. )?{_OF}{_NO_SURNAME}{_WORD}|\b{_OF}{_WORD}, ?{double}"
    alone = rf"\s*{_OF}{_WORD} {double}\s*"
    return re.compile(births), re.compile(others), re.compile(pair), re.compile(alone)


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name)
    return "".join(char for char in folded if not unicodedata.combining(char))


def _is_identifying(value: str) -> bool:
    births, others, names, alone = _cells()
    text = unicodedata.normalize("NFC", value)
    if births.search(text) or others.search(_DATE.sub(" ", text)):
        return True
    calm = _SHOUTED.sub(lambda word: word.group().title(), text)
    return any(names.search(one) or alone.fullmatch(one) for one in (text, calm))


def identifying_values(values: Iterable[str]) -> list[str]:
    """Those of distinct cell values that hold what identifies a person."""
    return [value for value in values if _WORTH.search(value) and _is_identifying(value)]
