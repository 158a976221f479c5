"""Ids that look like another id and are none: two of them would be two patients, and nobody sees why."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

# Letters of other scripts that are drawn like a Latin letter (Unicode Technical Standard 39, confusables).
_DRAWN_ALIKE = frozenset(
    "АВЕЅІЈКМНОРСТУХҮԀԌԚԜавеѕіјкмнорстухүһԁԛԝєѡ"  # Cyrillic
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϒαγικνορστυχωϲϳ"  # Greek
    "ՏՍՕոսցօհզ"  # Armenian
)
# Format, control, private, surrogate, and spaces that are not the usual one.
_UNSEEN = frozenset({"Cf", "Cc", "Co", "Cs", "Cn", "Zl", "Zp"})


def look_alikes(ids: Iterable[str], *, other_scripts: bool) -> dict[str, str]:
    """Those of distinct ids that hold such characters, each with what they are.

    Args:
        ids: Patient ids in Unicode form C.
        other_scripts: The center declared a form of ids with letters that are not ASCII: then letters
            of other scripts are meant.
    """
    told = {one: _told(one, other_scripts) for one in ids if not _is_plain(one)}
    return {one: text for one, text in told.items() if text}


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _told(text: str, other_scripts: bool) -> str:
    odd = dict.fromkeys(char for char in text if _is_odd(char, other_scripts))
    return ", ".join(
        f"U+{ord(char):04X} {unicodedata.name(char, 'without a name')}" for char in odd
    )


def _is_odd(char: str, other_scripts: bool) -> bool:
    kind = unicodedata.category(char)
    if kind in _UNSEEN or (kind == "Zs" and char != " "):
        return True
    if kind[0] in "LN" and unicodedata.normalize("NFKC", char) != char:
        return True  # full width, superscript, mathematical
    return char in _DRAWN_ALIKE and not other_scripts
