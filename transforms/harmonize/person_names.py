"""Names of people in cells: after a title, a label or a word for a patient, or a given name beside a capitalized word.

What stands there is looked up before it is taken for a name: words of therapies (the project's vocabularies), of
everyday notes and of institutions are none (`schemas/spec/no_surnames.csv`). Words in capitals are read as names
are written otherwise. A rare given name without title or label is not recognised.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import schemas.spec
from transforms.harmonize.person_patterns import CAPITALS, ascii_of, filled, rows_of

_WORD = rf"[{CAPITALS}](?:[^\W\d_A-Z]{{2,}}|[à-ÿ]\b)(?:-[{CAPITALS}][^\W\d_]+)?"
_SHOUTED = re.compile(rf"\b[{CAPITALS}]{{3,}}\b")
_SHORTEST = 4  # letters of a surname in capitals; shorter ones are abbreviations
# Hospitals and towns.
_NO_SAINT = "".join(
    rf"(?<!\b{word}[ -])"
    for word in ("St", "St.", "Sint", "San", "Sankt", "Saint", "São", "Santa", "Sv.", "Św.")
)
_LETTERED = re.compile(r"[^\W\d_]+")
_GIVEN = "\u0298"  # a letter, neither capital nor small: stands for each letter of a given name
_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
)
_SPELLINGS = {
    "drugs.csv": ("generic_name", "inn_de", "inn_es", "inn_fr", "brands", "abbreviations", "codes_and_misspellings"),
    "drug_synonyms.csv": ("spelling",),
    "regimens.csv": ("regimen", "variants", "components"),
    "regimen_words.csv": ("spelling",),
}  # fmt: skip


def names_a_person(text: str) -> bool:
    """Whether a text (one line, single blanks) names somebody."""
    calm = _SHOUTED.sub(_calmed, text)
    return _is_titled(text, calm) or _is_paired(text, calm)


def _calmed(word: re.Match[str]) -> str:
    first, rest = word.group()[0], word.group()[1:]
    return first + rest.lower().replace("\u0307", "")  # the dot that a Turkish capital leaves


@cache
def _given() -> frozenset[str]:
    names = " ".join(row["names"].replace("-", " ") for row in rows_of("given_names.csv"))
    return frozenset([*names.split(), *ascii_of(names).split(), *names.translate(_UMLAUTS).split()])


@cache
def _words(kind: str) -> frozenset[str]:
    """Words of a kind in `no_surnames.csv`; those of all languages if `note`."""
    others = ("ending", "beside", "abbreviation")
    wanted = (
        row
        for row in rows_of("no_surnames.csv")
        if row["kind"] == kind or (kind == "note" and row["kind"] not in others)
    )
    return frozenset(word.casefold() for row in wanted for word in row["words"].split())


@cache
def _therapies() -> frozenset[str]:
    """Words of drugs and regimens, as centers write them."""
    home = Path(schemas.spec.__file__).parents[1] / "vocabularies"
    found: set[str] = set()
    for name, columns in _SPELLINGS.items():
        with (home / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for column in columns:
                    found.update(re.findall(r"[^\W\d_]{3,}", row[column].casefold()))
    return frozenset(found)


@cache
def _cues() -> re.Pattern[str]:
    """A title, a label or a word for a patient, and the capitalized word behind it."""
    return re.compile(
        filled(
            r"\b(?:(?P<title>(?i:<TITLE>)) ?|(?<![lL]aç )(?P<label>(?i:<LABEL>)) ?[:=] ?"
            r"|(?!M\. ?(?:<EPONYM>))(?P<patient>(?i:<PATIENT>))(?: ?[:=] ?| ))"
            r"<OF>(?P<word>[<UP>][<LOW>'’]{2,})(?:-[<UP>][<LOW>]{2,})?(?![\w+/-])"
        )
    )


def _is_titled(text: str, calm: str) -> bool:
    return any(_is_surname(text, found) for found in _everywhere(_cues(), calm))


def _is_surname(text: str, found: re.Match[str]) -> bool:
    word = found["word"].casefold()
    if word in _therapies():
        return False
    if found["label"]:
        return True
    shouted = text[slice(*found.span("word"))].isupper()
    if found["title"]:  # others are found as they stand, whatever follows
        return shouted and word not in _words("note")
    cue = text[slice(*found.span("patient"))]
    if shouted and (len(word) < _SHORTEST or (len(cue) > 2 and cue.isupper())):
        return False  # an abbreviation, or a note that is all in capitals
    return word not in _words("note") and not word.endswith(tuple(_words("ending")))


@cache
def _pairs() -> tuple[re.Pattern[str], ...]:
    """A given name beside a capitalized word, before or after a comma; a cell of a name alone, the surname first."""
    given, word = rf"(?P<given>{_GIVEN}+)(?:[- ]{_GIVEN}+)*", rf"(?P<word>{_WORD}|{_GIVEN}+)"
    return (
        re.compile(filled(rf"{_NO_SAINT}\b{given} (?:[<UP>]\. )?<OF>{word}")),
        re.compile(filled(rf"\b<OF>{word}, ?{given}")),
        re.compile(filled(rf"^\s*<OF>{word} {given}\s*$")),
    )


def _is_paired(text: str, calm: str) -> bool:
    marked = _LETTERED.sub(_mark, calm)
    if _GIVEN not in marked:
        return False
    return any(
        _is_name(text, calm, found)
        for pattern in _pairs()
        for found in _everywhere(pattern, marked)
    )


def _mark(word: re.Match[str]) -> str:
    return _GIVEN * len(word.group()) if word.group() in _given() else word.group()


def _is_name(text: str, calm: str, found: re.Match[str]) -> bool:
    given, word = (slice(*found.span(name)) for name in ("given", "word"))
    if text[given].isupper() and (not text[word].isupper() or text[given] in _abbreviations()):
        return False  # ANA Titer, GERD
    beside, first = calm[word].casefold(), calm[given].casefold()
    if beside in _therapies() or beside in _words("beside"):
        return False
    if first in _therapies():  # Lena: a name where the cell holds nothing else
        noted = beside in _words("note") or beside.endswith(tuple(_words("ending")))
        return not noted and len(found.group().strip()) == len(text.strip())
    return True


@cache
def _abbreviations() -> frozenset[str]:
    return frozenset(word.upper() for word in _words("abbreviation"))


def _everywhere(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """All matches, those that overlap too."""
    found = pattern.search(text)
    while found:
        yield found
        found = pattern.search(text, found.start() + 1)
