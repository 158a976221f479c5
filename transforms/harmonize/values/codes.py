"""Coded columns: the center's own codes first, then the shared vocabulary by match key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

import polars as pl

from schemas.catalog import read_codelists
from transforms.harmonize.values.common import (
    VOCABULARIES,
    Row,
    error,
    is_missing,
    read_csv,
    result_frame,
    result_rows,
    warning,
)
from transforms.harmonize.values.match import match_key

# The rule of a value that no vocabulary knows, where it is not STR-06.
_RULES = {"vital_status": "SUR-01"}
# Vocabularies whose codes are those of another codelist.
_CODELIST_OF = {"emd": "yesno"}
_SIDE = re.compile(
    r"\b(?:left|right|links?|linke[rs]?|rechts?|rechte[rs]?|li|re|bds|beidseits|bilateral|multiple?|"
    r"izquierd[oa]|derech[oa]|gauche|droite?|multifocal|multifokal)\b\.?"
)
_MISSING_CODES = {"", "missing"}
# Vocabularies in which the column's other values decide what a letter means.
BY_COLUMN = frozenset({"sex"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What a spelling stands for.

    Attributes:
        code: Canonical code; None if the spelling is known to be undecidable.
        note: Why it needs a remark or a question.
        action: Empty, `warn` (mapped with a remark) or `query` (an error with the note).
        requires_codebook: Means nothing without the center's own codebook.
        category: Default category, in the vocabulary of lesion sites.
    """

    code: str | None
    note: str = ""
    action: str = ""
    requires_codebook: bool = False
    category: str | None = None


@dataclass(frozen=True)
class Vocabulary:
    """Spellings of one codelist.

    Attributes:
        name: Its name; `schemas/vocabularies/<name>.csv`.
        codes: The canonical codes, in the codelist's order.
        entries: Match key → what it stands for.
        rule_id: Rule of a value that is not known.
    """

    name: str
    codes: tuple[str, ...]
    entries: Mapping[str, Entry] = field(repr=False)
    rule_id: str = "STR-06"


@cache
def load_vocabulary(name: str) -> Vocabulary:
    """The vocabulary of a codelist: its codes and labels, and the spellings of its CSV file.

    Args:
        name: A codelist of `schemas/codelists.csv`, or `emd` or `cytogenetics`.

    Raises:
        KeyError: If there is neither a codelist nor a file of that name.
    """
    codelists = read_codelists()
    own = codelists.get(_CODELIST_OF.get(name, name), {})
    entries = {
        match_key(text): Entry(code) for code, label in own.items() for text in (code, label)
    }
    if (VOCABULARIES / f"{name}.csv").is_file() and name not in ("drugs", "regimens"):
        entries.update(_from_csv(name))
    elif name in ("drug", "exposure_drug"):
        entries.update(_from_drugs())
    elif not own:
        raise KeyError(name)
    codes = tuple(own) or tuple(dict.fromkeys(e.code for e in entries.values() if e.code))
    return Vocabulary(name, codes, MappingProxyType(entries), _RULES.get(name, "STR-06"))


def _from_csv(name: str) -> dict[str, Entry]:
    return {
        match_key(row["spelling"]): Entry(
            row["code"] or None,
            row["note"],
            row.get("action", ""),
            row["requires_codebook"] == "Y",
            row.get("lesion_category") or None,
        )
        for row in read_csv(name)
    }


def _from_drugs() -> dict[str, Entry]:
    """Names of drugs; abbreviations of one letter are left out, they mean several drugs."""
    names = ("generic_name", "inn_de", "inn_es", "inn_fr", "brands", "abbreviations")
    return {
        match_key(spelling): Entry(row["drug_id"])
        for row in read_csv("drugs")
        for column in (*names, "codes_and_misspellings")
        for spelling in row[column].split("|")
        if len(match_key(spelling)) > 1
    }


def parse_codes(
    values: Sequence[str | None],
    vocabulary: Vocabulary,
    overrides: Mapping[str, str | None] | None = None,
    language: str | None = None,
) -> pl.DataFrame:
    """The canonical codes of the distinct values of a column.

    Args:
        values: Cells as read: all distinct values of the column, because a letter can mean
            something else beside other letters (H and M).
        vocabulary: From `load_vocabulary`.
        overrides: The center's own codes → canonical code; a null target means missing. They come
            before the vocabulary and are matched exactly first, then by match key.
        language: Language of the center (de, en, es, fr), where a letter depends on it.

    Returns:
        `value`, `code`, `category` (of lesion sites), then the common columns. A value that is not
        known is an error (STR-06; SUR-01 for the vital status) whose note lists the codes.
    """
    schema: dict[str, pl.DataType] = {"code": pl.String(), "category": pl.String()}
    return result_frame(values, schema, code_rows(values, vocabulary, overrides, language))


def code_rows(
    values: Sequence[str | None],
    vocabulary: Vocabulary,
    overrides: Mapping[str, str | None] | None = None,
    language: str | None = None,
) -> list[Row]:
    """What `parse_codes` says, one mapping per value."""
    own = overrides or {}
    by_key = {match_key(spelling): code for spelling, code in own.items()}
    local = _homonyms(values, vocabulary, own, language)

    def parse(value: str) -> dict[str, Any]:
        key = match_key(value)
        if value in own or value.strip() in own or key in by_key:
            return _own_code(own.get(value, own.get(value.strip(), by_key.get(key))), vocabulary)
        entry = local.get(key) or vocabulary.entries.get(key) or _variant(key, vocabulary)
        if entry is None or entry.requires_codebook:
            return error(vocabulary.rule_id, _expected(vocabulary, entry))
        if entry.code is None:
            return error(vocabulary.rule_id, f"{entry.note}; {_expected(vocabulary, None)}")
        known = {"code": entry.code, "category": entry.category}
        return warning(entry.note, **known) if entry.action == "warn" else known

    def missing(value: str | None) -> bool:
        if value is None or not value.strip():
            return True
        key = match_key(value)
        known = value in own or value.strip() in own or key in by_key or key in vocabulary.entries
        return not known and is_missing(value, "code")

    return result_rows(values, parse, missing)


def _own_code(code: str | None, vocabulary: Vocabulary) -> dict[str, Any]:
    if code is None or code in _MISSING_CODES:
        return {"status": "missing"}
    if vocabulary.codes and code not in vocabulary.codes:
        return error(
            vocabulary.rule_id,
            f"the center's codebook names no canonical code; {_expected(vocabulary, None)}",
        )
    category = next((e.category for e in vocabulary.entries.values() if e.code == code), None)
    return {"code": code, "category": category}


def _variant(key: str, vocabulary: Vocabulary) -> Entry | None:
    """`1.0` as a statistical program writes the code 1; a lesion's site without its side."""
    whole, _, rest = key.partition(".")
    if whole.isdecimal() and rest and not rest.strip("0"):
        return vocabulary.entries.get(whole)
    if vocabulary.name == "lesion_site":
        return vocabulary.entries.get(match_key(_SIDE.sub(" ", key)))
    return None


def _expected(vocabulary: Vocabulary, entry: Entry | None) -> str:
    known = ", ".join(vocabulary.codes[:20]) + (", ..." if len(vocabulary.codes) > 20 else "")
    if entry is not None:
        return f"a code that means nothing without the center's codebook; expected one of: {known}"
    return f"expected one of: {known}"


def _homonyms(
    values: Sequence[str | None],
    vocabulary: Vocabulary,
    overrides: Mapping[str, str | None],
    language: str | None,
) -> dict[str, Entry]:
    """Letters whose meaning the column's other values decide: `M` beside `H` is mujer."""
    if vocabulary.name not in BY_COLUMN:
        return {}
    keys = {match_key(value) for value in values if value}
    female = keys & {"f", "w", "femenino", "femenina", "female", "weiblich", "mujer", "femme"}
    spanish_men = keys & {"h", "v", "hombre", "varon"}
    if "m" not in keys or any(match_key(spelling) == "m" for spelling in overrides):
        return {}
    if spanish_men and not female:
        return {"m": Entry("F", "M beside H is read as mujer (female); confirm", "warn")}
    if spanish_men or (language == "es" and not female):
        return {"m": Entry(None, "M can be mujer or masculino here: declare it in the codebook")}
    return {}
