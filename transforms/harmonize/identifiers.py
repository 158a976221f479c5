"""What in headers and cells points to a person.

Cells: e-mail, phone, insurance and record numbers, full birth dates, addresses, and names: after a title or a label
(`Herr`, `Name:`, `Patientin`), or a usual given name beside a capitalized word. Patterns and names are data
(`schemas/spec/identifying_cells.csv`, `given_names.csv`; `<UP>` and `<LOW>` stand for capital and small letters of
all Latin, Greek and Cyrillic alphabets). A rare name alone is not recognised.
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
_LETTERS = [chr(code) for code in (*range(0xC0, 0x530), *range(0x1E00, 0x2000))]
_CAPITALS = "A-Z" + "".join(letter for letter in _LETTERS if letter.isupper())
_SMALL = "a-z" + "".join(letter for letter in _LETTERS if letter.islower())
_UNSEEN = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_SPACES = re.compile(rf"[\s{_UNSEEN}]+")
_UNSEEN_ONES = re.compile(f"[{_UNSEEN}]")
# A patient beside a capitalized word is named by it, unless the word is one of `no_surnames.csv` or of a therapy.
_PATIENT = re.compile(
    r"\b(?i:patient(?:in|e|en)?|pat\.|pt\.|paciente)\s+(?:von |van |de |del |de la )?"
    rf"([{_CAPITALS}][{_SMALL}'’]{{2,}})(?:-[{_CAPITALS}][{_SMALL}]{{2,}})?(?![\w+/-])"
)
_WORD = rf"[{_CAPITALS}][^\W\d_A-Z]{{2,}}(?:-[{_CAPITALS}][^\W\d_]+)?"
_SHOUTED = re.compile(rf"\b[{_CAPITALS}]{{3,}}\b")
_OF = r"(?:von |van |de |del |de la |de los |O['’]|Mc|Mac)?"
# Words that stand beside a given name and make no name of it: eponyms, doses, words of therapy.
_NO_SURNAME = (
    r"(?!(?:Dosis|Dose|Zyklus|Therapie|Cycle|Protokoll|Protocol|Hospital|Klinik|Clinic)\b)"
)
# Nobody is told by a cell without any of these: digits in a row, @, or two words of which one is capitalized.
_WORTH = re.compile(
    rf"\d{{2}}|@|\(at\)|\[at\]|[{_CAPITALS}][\w.'’-]*[\s,:={_UNSEEN}]|[\s{_UNSEEN}][{_CAPITALS}]"
)
_NUMBERED = re.compile(r" ?\d{1,2}$")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


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
    """What a header says of a person ('a name', 'a phone number'), or None; a number behind it says nothing."""
    words, parted = _words(header), _words(_CAMEL.sub(" ", header))
    forms = {words, words.replace(" ", ""), parted}
    forms |= {_NUMBERED.sub("", form) for form in forms}
    for pattern, what in _patterns():
        if any(pattern.fullmatch(form) for form in forms):
            return what
    return None


def _words(header: str) -> str:
    plain = _ascii(header.casefold().replace("ß", "ss"))
    return " ".join(re.findall(r"[a-z0-9]+", plain))


@cache
def _cells() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Birth dates; everything else with digits or labels, dates taken out before; names; cells of a name alone."""
    rows = _file("identifying_cells.csv")
    births, others = (
        "|".join(f"(?:{row['pattern']})" for row in rows if (row["what"] == BIRTH) is of_birth)
        .replace("<UP>", _CAPITALS)
        .replace("<LOW>", _SMALL)
        for of_birth in (True, False)
    )
    given = {name for row in _file("given_names.csv") for name in row["names"].split()}
    names = "|".join(sorted(given | {_ascii(name) for name in given}, key=len, reverse=True))
    double = rf"\b(?:{names})\b(?:[- ](?:{names})\b)*"
    pair = rf"{double} (?:[{_CAPITALS}]\. )?{_OF}{_NO_SURNAME}{_WORD}|\b{_OF}{_WORD}, ?{double}"
    alone = rf"\s*{_OF}{_WORD} {double}\s*"
    return re.compile(births), re.compile(others), re.compile(pair), re.compile(alone)


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name)
    return "".join(char for char in folded if not unicodedata.combining(char))


@cache
def _no_surnames() -> tuple[frozenset[str], tuple[str, ...]]:
    """Words that follow a patient and are no name, and endings of such: of therapies and of everyday notes."""
    rows = _file("no_surnames.csv")
    words = [word for row in rows if row["kind"] != "ending" for word in row["words"].split()]
    home = Path(schemas.spec.__file__).parents[1] / "vocabularies"
    for name in ("drugs.csv", "drug_synonyms.csv", "regimens.csv", "regimen_words.csv"):
        words += re.findall(r"[^\W\d_]{3,}", (home / name).read_text(encoding="utf-8"))
    endings = [end for row in rows if row["kind"] == "ending" for end in row["words"].split()]
    return frozenset(word.casefold() for word in words), tuple(endings)


def _names_a_patient(text: str) -> bool:
    for found in _PATIENT.finditer(text):
        words, endings = _no_surnames()
        word = found.group(1).casefold()
        if word not in words and not word.endswith(endings):
            return True
    return False


def _is_identifying(value: str) -> bool:
    text = unicodedata.normalize("NFC", value)
    # What is not seen may stand for a blank or inside of a word.
    forms = {_SPACES.sub(" ", text), _SPACES.sub(" ", _UNSEEN_ONES.sub("", text))}
    return any(map(_tells_of_a_person, forms))


def _tells_of_a_person(text: str) -> bool:
    births, others, names, alone = _cells()
    if births.search(text) or others.search(_DATE.sub(" ", text)) or _names_a_patient(text):
        return True
    calm = _SHOUTED.sub(lambda word: word.group().title(), text)
    return any(names.search(one) or alone.fullmatch(one) for one in (text, calm))


def identifying_values(values: Iterable[str]) -> list[str]:
    """Those of distinct cell values that hold what identifies a person."""
    return [value for value in values if _WORTH.search(value) and _is_identifying(value)]
