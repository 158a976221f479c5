"""What in headers and cells points to a person.

Cells: e-mail, phone, insurance and record numbers, full birth dates, addresses, and names: after a title or a label
(`Herr`, `Name:`, `Patientin`), or a usual given name beside a capitalized word. Patterns and names are data
(`schemas/spec/identifying_cells.csv`, `given_names.csv`; `<UP>` and `<LOW>` stand for capital and small letters of
all Latin, Greek and Cyrillic alphabets, `<LETTER>` for any, other ones for the words of `identifying_words.csv`). A
rare name alone is not recognised.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import schemas.spec

_DATE = re.compile(
    r"(?<!\d)(?<!\d\.)(?<!0\d{3}/)(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?!\.?\d|-\d{3}\.)"
    r"|(?<!\d)(?:(?:0?[1-9]|1[0-2])[./-](?:19|20)\d\d|(?:19|20)\d\d[./-](?:0?[1-9]|1[0-2]))(?!\d)"
    r"|(?<![\d.,])(?:0?[1-9]|1[0-2]) (?:19|20)\d\d(?![./-]?\d)"
)
BIRTH = "a full birth date"
_LETTERS = [chr(code) for code in (*range(0xC0, 0x530), *range(0x1E00, 0x2000))]
_CAPITALS = "A-Z" + "".join(letter for letter in _LETTERS if letter.isupper())
_SMALL = "a-z" + "".join(letter for letter in _LETTERS if letter.islower())
_UNSEEN = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_LONGEST, _OVERLAP = (
    600,
    150,
)  # characters; nothing that tells of a person is longer than the overlap
_UNDECOMPOSED = str.maketrans(
    {"ı": "i", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"}
)
_SPACES = re.compile(rf"[\s{_UNSEEN}]+")
_UNSEEN_ONES = re.compile(f"[{_UNSEEN}]")
_WORD = rf"[{_CAPITALS}](?:[^\W\d_A-Z]{{2,}}|[à-ÿ]\b)(?:-[{_CAPITALS}][^\W\d_]+)?"
_SHOUTED = re.compile(rf"\b[{_CAPITALS}]{{3,}}\b")
# Words that stand beside a given name and make no name of it: eponyms, doses, words of therapy.
_NO_SURNAME = r"(?!(?:Dosis|Dose|Zyklus|Therapie|Cycle|Protokoll|Protocol|Hospital|Klinik|Clinic|Compostela|Janeiro|Paulo|Rosario|Bengala)\b)"
# Hospitals and towns.
_NO_SAINT = "".join(
    rf"(?<!\b{word}[ -])"
    for word in ("St", "St.", "Sint", "San", "Sankt", "Saint", "São", "Santa", "Sv.", "Św.")
)
_LETTERED = re.compile(r"[^\W\d_]+")
_GIVEN = "\u0298"  # stands for a given name; a letter, neither capital nor small
# No number of a person without five digits, or the beginning of an Italian tax code.
_LONG = re.compile(r"\d[\d ./()-]{4,}|[A-Z]{3} ?[A-Z]{3} ?\d\d")
# Nobody is told by a cell without any of these: digits in a row, @, or two words of which one is capitalized.
_WORTH = re.compile(
    rf"\d{{2}}|@|\(at\)|\[at\]|[{_CAPITALS}][\w.'’-]{{0,40}}[\s,:={_UNSEEN}]|[\s{_UNSEEN}][{_CAPITALS}]"
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
def _placeholders() -> dict[str, str]:
    """What stands for each placeholder of a pattern; `~` is a blank in the file."""
    words = {
        row["kind"]: "|".join(sorted(row["words"].split(), key=len, reverse=True)).replace("~", " ")
        for row in _file("identifying_words.csv")
    }
    signs = {"UP": _CAPITALS, "LOW": _SMALL, "LETTER": r"[^\W\d_]"}
    particle = rf"(?:(?i:{words.pop('OF')})(?:['’]| )|(?i:[dlnost])['’]|Mc|Mac){{0,3}}"
    return {**{kind: f"(?:{some})" for kind, some in words.items()}, **signs, "OF": particle}


def _filled(pattern: str) -> str:
    """A pattern with its placeholders filled; those of words may hold others."""
    for _ in range(2):
        for name, stands in _placeholders().items():
            pattern = pattern.replace(f"<{name}>", stands)
    return pattern


@cache
def _cells() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Birth dates; numbers that somebody has; names and addresses. The last two are asked without dates."""
    rows = _file("identifying_cells.csv")

    def one_of(wanted: Callable[[str], bool]) -> re.Pattern[str]:
        return re.compile(
            "|".join(f"(?:{_filled(row['pattern'])})" for row in rows if wanted(row["what"]))
        )

    return (
        one_of(lambda what: what == BIRTH),
        one_of(lambda what: what.endswith("number")),
        one_of(lambda what: what != BIRTH and not what.endswith("number")),
    )


@cache
def _given() -> frozenset[str]:
    names = " ".join(row["names"].replace("-", " ") for row in _file("given_names.csv"))
    return frozenset([*names.split(), *_ascii(names).split()])


@cache
def _names() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A given name, which `_GIVEN` stands for, beside a capitalized word; a cell of a name alone."""
    double, word = rf"{_GIVEN}(?:[- ]{_GIVEN})*", rf"(?:{_WORD}|{_GIVEN})"
    pair = rf"{_NO_SAINT}\b{double} (?:[<UP>]\. )?<OF>{_NO_SURNAME}{word}|\b<OF>{word}, ?{double}"
    return re.compile(_filled(pair)), re.compile(_filled(rf"\s*<OF>{word} {double}\s*"))


@cache
def _patient() -> re.Pattern[str]:
    """A patient beside a capitalized word: named by it, unless the word is one of `no_surnames.csv` or of a therapy."""
    return re.compile(
        _filled(
            r"\b(?i:<PATIENT>)(?:\s*[:=]\s*|\s+)<OF>([<UP>][<LOW>'’]{2,})(?:-[<UP>][<LOW>]{2,})?(?![\w+/-])"
        )
    )


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).translate(_UNDECOMPOSED)
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
    for found in _patient().finditer(text):
        words, endings = _no_surnames()
        word = found.group(1).casefold()
        if word not in words and not word.endswith(endings):
            return True
    return False


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
    if births.search(text) or others.search(undated) or _names_a_patient(text):
        return True
    if _LONG.search(undated) and numbers.search(undated):
        return True
    # Capitals; the dot above that a Turkish capital leaves goes.
    calm = _SHOUTED.sub(lambda word: word.group().title().replace("\u0307", ""), text)
    return any(map(_is_named, {text, calm}))


def _is_named(text: str) -> bool:
    given = _given()
    marked = _LETTERED.sub(lambda word: _GIVEN if word.group() in given else word.group(), text)
    pair, alone = _names()
    return _GIVEN in marked and bool(pair.search(marked) or alone.fullmatch(marked))


def identifying_values(values: Iterable[str]) -> list[str]:
    """Those of distinct cell values that hold what identifies a person."""
    return [value for value in values if _WORTH.search(value) and _is_identifying(value)]
