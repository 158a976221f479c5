"""Ids of patients in names of files and sheets: where they stand, and the names without them.

A name is compared as ids are: without case, accents, separators and leading zeros (`spelling_key`). An id of letters
and digits is known anywhere in a name. One that may as well be a number or a word is known as a word of its own
outside of days; a word alone, or a year, only as the whole name or beside names that differ in the id alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from transforms.harmonize.privacy_withdrawn import spelling_key

PUBLISHED, FORGOTTEN = "id", "forgotten"  # what stands in brackets in the place of an id
_PART = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+|\d+")  # letters, and numbers
_DAY = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d(?:([-_. ]?)(?:0[1-9]|1[0-2])(?:\1(?:0[1-9]|[12]\d|3[01]))?)?"
    r"|\d\d?([-_. ])\d\d?\2(?:19|20)\d\d)(?!\d)"
)
_RECEIVED = re.compile(r"\d{4}-\d\d-\d\d[\W_]+")  # with which a delivery's name begins
_SUFFIX = re.compile(
    r"(?:\.(?:csv|tsv|txt|tab|dat|xls[xmb]?|ods|zip|gz|bz2|xz|z?sav|sas7bdat|xpt|dta|parquet|jsonl?|"
    r"ndjson|html?))+$",
    re.IGNORECASE,
)
_MOST_PARTS = 8  # of an id
_MOST_GLUED = 40  # letters before an id's number that are looked at, from the number on
_LONGEST = (
    400  # no name of a file or sheet that people give is longer: such a one is not shown at all
)
_TELLING = 5  # letters and digits of an id that stands in no name by chance
_SURE, _DAY_OR_YEAR, _WORD = range(3)

IsId = Callable[[str, str], bool]  # the key of a piece of a name, and the piece


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a name that may be an id, and how much it says if it is one."""

    start: int
    end: int
    key: str
    weight: int


def keys_in(name: str) -> set[str]:
    """The keys of all pieces of a name that are looked up as ids."""
    if len(name) > _LONGEST:
        return set()
    return {piece.key for piece in _pieces(unicodedata.normalize("NFC", name))}


def without_ids(
    names: Iterable[str], is_id: IsId, word: str = PUBLISHED, only: str | None = None
) -> dict[str, str]:
    """The names that hold an id, each with the name that is shown instead.

    Args:
        names: of the files and sheets of one delivery, in its order.
        is_id: whether a piece of a name is an id of the center.
        word: what stands in the place of an id: `[id]`, then `[id 2]` for the next one.
        only: the key of the one id that is taken out; None: all are.
    """
    distinct = list(dict.fromkeys(names))
    long = [name for name in distinct if len(name) > _LONGEST]
    short = [name for name in distinct if len(name) <= _LONGEST]
    found = _found([unicodedata.normalize("NFC", name) for name in short], is_id)
    marks = _Marks(word, distinct)
    shown: dict[str, str] = {}
    for name, pieces in zip(short, found, strict=True):
        text = unicodedata.normalize("NFC", name)
        out, last = [], 0
        for piece in (p for p in pieces if only in (None, p.key)):
            out += [text[last : piece.start], marks.of(text[piece.start : piece.end])]
            last = piece.end
        if last:
            new = "".join([*out, text[last:]])
            # Two names that differ in the form of their letters alone stay two.
            shown[name] = new if new not in shown.values() else f"{new} {marks.of(name)}"
    if only is None:
        shown.update((name, marks.of(name)) for name in long)
    return shown


class _Marks:
    """`[id]`, `[id 2]` and so on: one for each text, none that stands in a name already."""

    def __init__(self, word: str, names: Sequence[str]) -> None:
        self._word = word
        self._taken = [name for name in names if f"[{word}" in name]
        self._of: dict[str, str] = {}
        self._n = 0

    def of(self, text: str) -> str:
        """The mark of a text."""
        while text not in self._of:
            self._n += 1
            mark = f"[{self._word}]" if self._n == 1 else f"[{self._word} {self._n}]"
            if not any(mark in name for name in self._taken):
                self._of[text] = mark
        return self._of[text]


def _found(names: Sequence[str], is_id: IsId) -> list[list[_Piece]]:
    """The ids in each name, from the left, the longest first; none inside another."""
    known = [[p for p in _pieces(name) if is_id(p.key, name[p.start : p.end])] for name in names]
    # Names that differ in the id alone speak for each other: a word beside words, a year beside any other id.
    alike: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for name, pieces in zip(names, known, strict=True):
        for piece in pieces:
            alike[_rest(name, piece)].add((piece.weight, piece.key))
    return [
        _apart(p for p in pieces if _counts(p, alike[_rest(name, p)]))
        for name, pieces in zip(names, known, strict=True)
    ]


def _rest(name: str, piece: _Piece) -> str:
    return f"{name[: piece.start]}\0{name[piece.end :]}"


def _counts(piece: _Piece, alike: set[tuple[int, str]]) -> bool:
    others = (weight for weight, key in alike if key != piece.key)
    return piece.weight == _SURE or any(weight != _DAY_OR_YEAR for weight in others)


def _apart(pieces: Iterable[_Piece]) -> list[_Piece]:
    kept: list[_Piece] = []
    for piece in sorted(pieces, key=lambda p: (p.start, -p.end)):
        if not kept or piece.start >= kept[-1].end:
            kept.append(piece)
    return kept


@lru_cache(maxsize=16_384)
def _pieces(name: str) -> tuple[_Piece, ...]:
    """Every run of letters and numbers of a name, folder by folder, that an id could be."""
    found, start = [], 0
    for folder in name.split("/"):
        for piece in _of_one(_SUFFIX.sub("", folder)):
            found.append(_Piece(start + piece.start, start + piece.end, piece.key, piece.weight))
        start += len(folder) + 1
    return tuple(found)


def _of_one(stem: str) -> Iterator[_Piece]:
    parts = list(_PART.finditer(stem))
    days = [match.span() for match in _DAY.finditer(stem)]
    received = _RECEIVED.match(stem)
    wholes = {_bare(stem, 0), _bare(stem, received.end() if received else 0)}
    for first, part in enumerate(parts):
        following = parts[first + 1 : first + _MOST_PARTS]
        for start in _starts(part, glued=bool(following) and following[0][0].isdigit()):
            key = ""
            for last in (part, *following):
                end = last.end()
                key = f"{key}-{_key(last[0])}" if key else _key(stem[start:end])
                weight = _SURE if (start, end) in wholes else _weight(stem, start, end, days, key)
                if weight is not None and (start == part.start() or _tells(key)):
                    yield _Piece(start, end, key, weight)


@lru_cache(maxsize=65_536)
def _key(part: str) -> str:
    """As `spelling_key` of letters or a number: those of its parts, joined by dashes, are that of an id."""
    return spelling_key(part)


def _bare(stem: str, start: int) -> tuple[int, int]:
    """Where the name stands from `start` on, without the signs around it."""
    found = list(_PART.finditer(stem, start))
    return (found[0].start(), found[-1].end()) if found else (start, start)


def _starts(part: re.Match[str], *, glued: bool) -> Iterator[int]:
    """Where an id may begin in a part of a name: `MM003` also in `PatientMM003`."""
    yield part.start()
    if glued and not part[0].isdigit():
        yield from range(max(part.start() + 1, part.end() - _MOST_GLUED), part.end() - 1)


def _tells(key: str) -> bool:
    """Whether a key is of letters and digits, and long enough to be no word of any name."""
    signs = [sign for sign in key if sign.isalnum()]
    digits = sum(sign.isdigit() for sign in signs)
    return 0 < digits < len(signs)


def _weight(
    stem: str, start: int, end: int, days: Sequence[tuple[int, int]], key: str
) -> int | None:
    """How much a piece says that is not the whole name; None: nothing."""
    text = stem[start:end]
    length = sum(sign.isalnum() for sign in text)
    if _tells(key) and length >= _TELLING:
        return _SURE
    alone = not (stem[:start][-1:].isalnum() or stem[end:][:1].isalnum())
    if not alone:
        return None
    if not any(sign.isdigit() for sign in text):
        return _WORD
    for day in days:
        if day == (start, end):
            return _DAY_OR_YEAR
        inside = day[0] <= start and end <= day[1]
        across = start < day[1] and day[0] < end and not (start <= day[0] and day[1] <= end)
        if inside or across:
            return None
    return _SURE
