"""One name of a regimen text: a drug, an acronym, an ATC code, or several names written as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from transforms.harmonize.values.common import read_csv
from transforms.harmonize.values.match import match_key
from transforms.harmonize.values.regimen_terms import (
    Ambiguous,
    Drugs,
    compact,
    compact_key,
    load_terms,
    words,
)

_LOOKALIKES = (
    "thal",
    "tal",
    "tec",
    "elo",
    "elra",
    "ixa",
    "isa",
    "ida",
    "ide",
    "bel",
    "ben",
    "mel",
    "mez",
    "dara",
    "dasa",
    "cilt",
    "cis",
)
_LOOKALIKE_NOTE = "near-homonyms are never matched loosely: write the drug's full name"


def find_name(text: str, alone: bool) -> Drugs | Ambiguous | None:
    """The drugs of a name: a drug, a regimen, an ATC code, or camel-case of those."""
    terms = load_terms()
    key = compact_key(text)
    if text == "d":  # the small d of Isa-d; other single letters stand for several drugs
        return ("dexamethasone",)
    if len(key) < 2:
        return None
    if key in terms.ambiguous and compact(text) not in terms.spared:
        return terms.ambiguous[key]
    if match_key(text) in words("trial") or re.fullmatch(r"nct\d{8}", key):
        return ("trial_unknown",)
    drugs = terms.find(text)
    if drugs:
        return drugs
    if alone and text.upper() in terms.atc:
        return (terms.atc[text.upper()],)
    return _camel(text) if alone else None


def _camel(text: str) -> Drugs | None:
    """`DaraPomDex`: every part a known name of three letters or more, or a known acronym."""
    parts = re.findall(r"[A-Z][a-z]+|[A-Z]+[a-z]?", text)
    if len(parts) < 2 or "".join(parts) != text:
        return None
    terms = load_terms()
    drugs: set[str] = set()
    for part in parts:
        if compact_key(part) in terms.ambiguous and part not in terms.spared:
            return None
        found = terms.exact.get(part) or (
            terms.drugs.get(compact_key(part)) if len(part) > 2 else None
        )
        if not found:
            return None
        drugs |= set(found)
    return tuple(sorted(drugs))


def fits(word: str, drugs: Iterable[str]) -> bool:
    """Whether one of the drugs is of the kind or has the target that the word tells (a match key)."""
    kinds = _kinds()
    return any(word in kinds.get(drug, ()) for drug in drugs)


@cache
def _kinds() -> Mapping[str, frozenset[str]]:
    """Drug → its targets, and for a bispecific all words of it, as match keys."""
    named = {
        match_key(row["spelling"]) for row in read_csv("regimen_words") if row["kind"] == "context"
    }
    drugs = read_csv("drugs")
    targets = {
        row["drug_id"]: {match_key(t) for t in re.split(r"[|]|x(?=CD3)", row["target"]) if t}
        for row in drugs
    }
    several = named.difference(*targets.values())
    return {
        row["drug_id"]: frozenset(
            targets[row["drug_id"]]
            | (several if row["class"] in ("bispecific", "trispecific") else set())
        )
        for row in drugs
    }


def unknown_word(atom: str) -> str:
    """What the center is told of a word that is no name; never the word itself."""
    if compact_key(atom).startswith(_LOOKALIKES):
        return f"a word is no known drug; {_LOOKALIKE_NOTE}"
    if len(atom) == 1:
        return "a single letter stands for several drugs: write the drug's name"
    return "a word of the regimen is no known drug, dose or route: write the drugs' names"
