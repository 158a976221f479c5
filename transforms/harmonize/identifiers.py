"""What in headers and cells points to a person.

Cells: e-mail, phone, insurance and record numbers, full birth dates, addresses, and names (`person_names`). Patterns are
data: `schemas/spec/identifiers.csv` of headers, `identifying_cells.csv` of cells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

from transforms.harmonize.person_names import names_a_person
from transforms.harmonize.person_patterns import CAPITALS, ascii_of, filled, rows_of

_DATE = re.compile(
    r"(?<!\d)(?<!\d\.)(?<!0\d{3}/)(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?!\.?\d|-\d{3}\.)"
    r"|(?<!\d)(?:(?:0?[1-9]|1[0-2])[./-](?:19|20)\d\d|(?:19|20)\d\d[./-](?:0?[1-9]|1[0-2]))(?!\d)"
    r"|(?<![\d.,])(?:0?[1-9]|1[0-2]) (?:19|20)\d\d(?![./-]?\d)"
)
BIRTH = "a full birth date"
_UNSEEN = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_LONGEST, _OVERLAP = 600, 150  # characters; nothing that tells of a person is longer than 150
_SPACES = re.compile(rf"[\s{_UNSEEN}]+")
_UNSEEN_ONES = re.compile(f"[{_UNSEEN}]")
# No number of a person without five digits, or the beginning of an Italian tax code.
_LONG = re.compile(r"\d[\d ./()-]{4,}|[A-Z]{3} ?[A-Z]{3} ?\d\d")
# Nobody is told by a cell without any of these: digits in a row, @, or two words of which one is capitalized.
_WORTH = re.compile(
    rf"\d{{2}}|@|\(at\)|\[at\]|[{CAPITALS}][\w.'’-]{{0,40}}[\s,:={_UNSEEN}]|[\s{_UNSEEN}][{CAPITALS}]"
)
_NUMBERED = re.compile(r" ?\d{1,2}$")
# What stands beside the words that say what a header is about.
_ASIDE = re.compile(
    r"\b(?:patient(?:en|in|s|a)?|pat|pts?|pacjent[ay]?|pacient[aey]?|paziente|paciente|doente|utente|hasta|subject|of|the|des|der|del|do|du|de la"
    r"|tt|jjjj|dd|mm|yyyy|gg|aaaa|jj|rrrr|no|nr|n)\s+"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = rows_of("identifiers.csv")
    return tuple((re.compile(row["pattern"]), row["what"]) for row in rows)


@cache
def identifying_header(header: str) -> str | None:
    """What a header says of a person ('a name', 'a phone number'), or None; a number behind it says nothing."""
    words, parted = _words(header), _words(_CAMEL.sub(" ", header))
    forms = [words, words.replace(" ", ""), parted]
    forms += [_ASIDE.sub("", f"{form} ").strip() for form in (words, parted)]
    for form in dict.fromkeys([*forms, *(_NUMBERED.sub("", form) for form in forms)]):
        what = _of_words(form)
        if what is not None:
            return what
    each = {_of_words(word) for word in forms[3].split()}  # Name, Vorname, Geb.
    return None if None in each or not each else min(each - {None}, key=str)


@cache
def _of_words(words: str) -> str | None:
    return next((what for pattern, what in _patterns() if pattern.fullmatch(words)), None)


def _words(header: str) -> str:
    plain = ascii_of(header.casefold().replace("ß", "ss"))
    return " ".join(re.findall(r"[a-z0-9]+", plain))


@cache
def _cells() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Birth dates; numbers that somebody has; names and addresses. The last two are asked without dates."""
    rows = rows_of("identifying_cells.csv")

    def one_of(wanted: Callable[[str], bool]) -> re.Pattern[str]:
        return re.compile(
            "|".join(f"(?:{filled(row['pattern'])})" for row in rows if wanted(row["what"]))
        )

    return (
        one_of(lambda what: what == BIRTH),
        one_of(lambda what: what.endswith("number")),
        one_of(lambda what: what != BIRTH and not what.endswith("number")),
    )


def _is_identifying(value: str) -> bool:
    text = unicodedata.normalize("NFC", value)
    # What is not seen may stand for a blank or inside of a word.
    forms = {_SPACES.sub(" ", text), _SPACES.sub(" ", _UNSEEN_ONES.sub("", text))}
    return any(_tells_of_a_person(part) for form in forms for part in _parts(form))


def _parts(text: str) -> Iterable[str]:
    """Pieces of a long text that overlap: patterns take the square of the length at worst."""
    if len(text) <= _LONGEST:
        return (text,)
    step = _LONGEST - _OVERLAP
    return (text[start : start + _LONGEST] for start in range(0, len(text) - _OVERLAP, step))


def _tells_of_a_person(text: str) -> bool:
    births, numbers, others = _cells()
    undated = _DATE.sub(" ", text)
    if births.search(text) or others.search(undated) or names_a_person(undated):
        return True
    return bool(_LONG.search(undated) and numbers.search(undated))


def identifying_values(values: Iterable[str]) -> list[str]:
    """Those of distinct cell values that hold what identifies a person."""
    return [value for value in values if _WORTH.search(value) and _is_identifying(value)]
