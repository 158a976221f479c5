"""Response categories as centers write them, and the homonyms that depend on the column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import polars as pl

from transforms.harmonize.values.codes import load_vocabulary
from transforms.harmonize.values.common import (
    Row,
    error,
    is_missing,
    read_csv,
    result_frame,
    result_rows,
    warning,
)
from transforms.harmonize.values.match import match_key
from transforms.harmonize.values.response_doubts import RULE, Doubt, doubtful, remarked
from transforms.harmonize.values.response_patterns import (
    BESIDE,
    BEST,
    CONFIRMED,
    EITHER,
    LESS,
    LETTERS,
    LOWER,
    MRD,
    ON_THERAPY,
    SEQUENCE,
    UNCONFIRMED,
    cut,
    without,
)

_LONGEST = 120  # letters; a longer cell is a letter, no category
_SCHEMA: dict[str, pl.DataType] = {
    "code": pl.String(),
    "progression": pl.Boolean(),
    "mrd": pl.String(),
    "confirmed": pl.String(),
    "lower_bound": pl.Boolean(),
}
_ASK = "not understood as a response; expected sCR, CR, VGPR, PR, MR, SD, PD or NE"
_SUSPECTED = "suspected progression is not progression: confirm it or give the response"
_DEPTH = {"PD": 1, "SD": 2, "MR": 3, "PR": 4, "VGPR": 5, "CR": 6, "sCR": 7}
# In these columns the letters mean a regimen or a method, never a response.
_HOMONYMS = frozenset(
    ["pd", "sd", "mp", "rm", "ee", "rp", "nr", "pe", "ms", "tr", "ep", "rc", "kr"]
)


@dataclass(frozen=True, slots=True)
class _Known:
    """One row of `response_synonyms.csv`."""

    code: str
    action: str
    language: str
    codebook: str
    mrd: str
    note: str


def parse_responses(
    values: Sequence[str | None],
    column_type: str = "response",
    codebook: Mapping[str, str | None] | str | None = None,
    language: str | None = None,
    missing: tuple[str, ...] = (),
) -> pl.DataFrame:
    """The response categories of distinct values.

    Args:
        values: Cells as read.
        column_type: `response`; in any other column (`regimen`) the homonyms PD, SD, MP, RM, RP,
            EE, NR are not responses.
        codebook: The center's own codes → canonical code (None: missing), or the name of a
            registry's list (`oBDS Gesamtbeurteilung`). Digits and single letters are never
            mapped without one.
        language: Language of the center: abbreviations of another language get a remark.
        missing: Declared missing tokens besides those of the synonyms.

    Returns:
        `value`, `code` (codelist `response`), `progression` (a progression after the response was
        in the cell), `mrd` (codelist `mrd` or null), `confirmed` (N if marked as unconfirmed),
        `lower_bound` (`>=PR`), then the common columns. RSP-01 is an error where a cell is not
        understood, and a warning where it is, but not without doubt (`nCR`, `CR/VGPR`, `CR?`, `NR`).
    """
    return result_frame(
        values, _SCHEMA, response_rows(values, column_type, codebook, language, missing)
    )


def response_rows(
    values: Sequence[str | None],
    column_type: str = "response",
    codebook: Mapping[str, str | None] | str | None = None,
    language: str | None = None,
    missing: tuple[str, ...] = (),
) -> list[Row]:
    """What `parse_responses` says, one mapping per value."""
    own = dict(codebook) if isinstance(codebook, Mapping) else {}
    by_key = {match_key(spelling): code for spelling, code in own.items()}
    registry = match_key(codebook) if isinstance(codebook, str) else ""

    def parse(value: str) -> dict[str, Any]:
        key = match_key(value)
        if value.strip() in own or key in by_key:
            return _canonical(own.get(value.strip(), by_key.get(key)))
        if column_type != "response" and key in _HOMONYMS:
            return error(RULE, "in this column the letters are no response")
        return _parse(key, registry, language)

    def is_none(value: str | None) -> bool:
        if value is None or not value.strip():
            return True
        key = match_key(value)
        if value.strip() in own or key in by_key:
            return False
        declared = bool(missing) and is_missing(value, "none", missing)
        return declared or (key not in _synonyms() and is_missing(value, "response", missing))

    return result_rows(values, parse, is_none)


@cache
def _synonyms() -> Mapping[str, _Known]:
    further = {
        match_key(row["spelling"]): _Known(
            row["canonical"], row["action"], row["language"], "", "", row["note"]
        )
        for row in read_csv("response_further")
    }
    return MappingProxyType(
        further
        | {
            row["key"]: _Known(
                row["canonical"],
                row["action"],
                row["language"],
                "" if row["requires_codebook"] == "N" else match_key(row["requires_codebook"]),
                row["mrd_hint"],
                row["note"],
            )
            for row in read_csv("response_synonyms")
        }
    )


def _canonical(code: str | None) -> dict[str, Any]:
    if code is None or code == "MISSING":
        return {"status": "missing"}
    if code not in _DEPTH and code not in ("NE", "LTPR"):
        return error(RULE, "the center's codebook names no response category")
    return {"code": code, "progression": False}


def _parse(key: str, registry: str, language: str | None) -> dict[str, Any]:
    if len(key) > _LONGEST:
        return error(RULE, _ASK)
    if key not in _synonyms() and LETTERS.fullmatch(key):
        key = key.replace(".", "")
    known = _synonyms().get(key)
    if known is not None:
        return _known(key, known, registry, language)
    found = _decorated(key) or _shown_by(key) or _sequence(key) or _either(key)
    return found or error(RULE, _ASK)


def _known(key: str, known: _Known, registry: str, language: str | None) -> dict[str, Any]:
    if known.codebook and not (registry and known.codebook.startswith(registry)):
        return error(RULE, "a code that means nothing without the center's codebook")
    if known.action == "query" or known.code == "UNMAPPABLE":
        return error(RULE, f"{known.note or 'ambiguous'}; {_ASK}")
    if known.code == "MISSING":
        return {"status": "missing"}
    row: dict[str, Any] = {
        "code": known.code,
        "progression": False,
        "mrd": _mrd_code(known.mrd),
        "confirmed": "N" if "CONFFL=N" in known.note else None,
        "lower_bound": "RSPLBFL" in known.note,
    }
    foreign = known.language in ("de", "es", "fr", "nl") and language not in (None, known.language)
    if foreign and len(key) <= 3 and (known.language, language) not in (("es", "fr"), ("fr", "es")):
        return warning("an abbreviation of another language", **row)
    return doubtful(remarked(known.note), row) if known.action == "map_warn" else row


def _mrd_code(hint: str) -> str | None:
    return {"NEG": "NEGATIVE", "POS": "POSITIVE"}.get(hint[:3])


def _simple(key: str) -> _Known | None:
    """The synonym of a part of a cell, if it is sure and needs no codebook."""
    known = _synonyms().get(match_key(key))
    usable = known and not known.codebook and known.action in ("map", "map_warn")
    return known if usable and known and known.code in _DEPTH else None


def _sequence(key: str) -> dict[str, Any] | None:
    """`PR->PD`: the best response and the progression after it, in one cell."""
    parts = [BEST.sub("", match_key(part)) for part in SEQUENCE.split(key)]
    if len(parts) < 2 or not all(parts):
        return None
    codes = [known.code if (known := _simple(part)) else None for part in parts]
    if None in codes or codes[-1] != "PD" or "PD" in codes[:-1]:
        return error(RULE, "several categories in one cell: give one")
    best = max((code for code in codes[:-1] if code), key=_DEPTH.__getitem__)
    return doubtful(Doubt.TWO_EVENTS, {"code": best, "progression": True})


def _either(key: str) -> dict[str, Any] | None:
    """`CR/VGPR`: the lower level, if both lie on the same side of partial response."""
    parts = EITHER.split(key)
    if len(parts) < 2:
        return None
    found = [_simple(part) for part in parts]
    codes = [known.code for known in found if known]
    if len(codes) != len(parts):
        return None
    if len({_DEPTH[code] >= _DEPTH["PR"] for code in codes}) > 1:
        return error(RULE, "the two categories lie on both sides of partial response: give one")
    lowest = min(codes, key=lambda code: _DEPTH[code])
    if len(set(codes)) == 1:
        return {"code": lowest, "progression": False}
    return doubtful(Doubt.LOWER, {"code": lowest, "progression": False})


def _decorated(key: str) -> dict[str, Any] | None:
    """A known category with something beside it: MRD, a percentage, confirmed or not, `or better`."""
    extra: dict[str, Any] = {}
    remark = None
    rest = BEST.sub("", key)
    found = MRD.search(rest)
    if found:
        extra["mrd"] = "POSITIVE" if found["sign"][0] in "p+" else "NEGATIVE"
        rest = match_key(rest[: found.start()] + " " + rest[found.end() :]).strip("()-, /")
    rest, asked = cut(rest, r"\(\?\)$|\?+$")
    rest, unconfirmed = without(rest, UNCONFIRMED)
    if unconfirmed := unconfirmed or asked:
        extra["confirmed"], remark = "N", Doubt.UNCONFIRMED
    rest, sure = without(rest, CONFIRMED)
    if sure:
        extra["confirmed"] = "Y"
    rest, annotated = cut(rest, r"\s*\(?[<>~]?=?\s*[+-]?\d+(?:[.,]\d+)?\s*%[^)]*\)?$|[*!]+$")
    rest, told = without(rest, BESIDE)
    remark = remark or (Doubt.ANNOTATED if annotated or told else None)
    rest, named = _same_twice(rest)
    less = LESS.match(rest)
    if less and (known := _simple(less[1])) and known.code == "PR":
        return doubtful(Doubt.LESS, {"code": "LTPR", "progression": False})
    bound = LOWER.match(rest)
    if (
        bound
        and (known := _simple(bound[1] or bound[2] or bound[3]))
        and _DEPTH[known.code] >= _DEPTH["PR"]
    ):
        row = {"code": known.code, "progression": False, "lower_bound": True, **extra}
        return doubtful(Doubt.BOUND, row)
    known = _simple(rest)
    if known is None or (rest == key and not named):
        return None
    if known.code == "PD" and unconfirmed:
        return error(RULE, _SUSPECTED)
    row = {"code": known.code, "progression": False, **extra}
    remark = remark or (remarked(known.note) if known.action == "map_warn" else None)
    return doubtful(remark, row) if remark else row


def _shown_by(key: str) -> dict[str, Any] | None:
    """`PD (imaging)`, `biochemischer Progress`: a progression and what showed it."""
    basis = load_vocabulary("progression_basis").entries
    words = [word for word in re.split(r"[\s(),:-]+", ON_THERAPY.sub("", key)) if word]
    for at in range(1, len(words) + 1):
        parts = " ".join(words[:at]), " ".join(words[at:])
        for told, shown in (parts, parts[::-1]):
            known = _simple(told)
            if known and known.code == "PD" and (not shown or shown in basis):
                return {"code": "PD", "progression": False}
    return None


def _same_twice(text: str) -> tuple[str, bool]:
    """`partial response (PR)` as `pr`, if both say the same."""
    found = re.match(r"^(.+?)\s*(?:[(\[](.+?)[)\]]|[:=]\s*(.+))$", text)
    if not found:
        return text, False
    second = found[2] or found[3]
    outer, inner = _simple(found[1]), _simple(second)
    if outer and inner and outer.code == inner.code:
        return match_key(second), True
    return text, False
