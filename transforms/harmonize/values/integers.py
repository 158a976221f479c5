"""Grades, ages and counts: the words and Roman numerals that centers write around whole numbers."""

from __future__ import annotations

import re

_BEFORE = re.compile(
    r"^(?:grade?|grado|gr\.?|g|ecog(?: ps)?|ps|who|stage|stadium|n)\s*[:=.]?\s*(?=[\divx]+\W*$)"
)
_AFTER = re.compile(
    r"(?<=[\divx])\s*(?:°|o(?=$)|\.?\s*grade?s?|prior lines?|vorherige linien|lines?|linien?|therapielinien|"
    r"lineas?(?: previas)?|lignes?|lots?|jahre?|j\.?|years?(?: old)?|yrs?|y/?o?|anos|ans)\.?$"
)
# `61 a` is an age in years; `2a` is a grade or stage of a scale that whole numbers cannot hold.
_YEARS = re.compile(r"(?<=\d\d)\s*a\.?$")
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}


def bare_integer(plain: str) -> str:
    """The digits of a folded text such as `grad ii`, `ecog 1`, `61 jahre`, `3 linien`.

    Text that is none of these comes back unchanged.
    """
    text = _BEFORE.sub("", plain, count=1)
    text = _YEARS.sub("", _AFTER.sub("", text, count=1), count=1).strip()
    return _ROMAN.get(text, text if re.fullmatch(r"\d+", text) else plain)
