"""Cytogenetic findings in one cell: which abnormalities, present or not, in what share of cells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import polars as pl

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

RULE = "STR-06"
_LONGEST = 600
LOW_SHARE = 20.0  # the 2025 definition of high risk asks for 20 % of the cells

_FOUND = pl.Struct({"abnormality": pl.String(), "present": pl.String(), "percent": pl.Float64()})
_SCHEMA: dict[str, pl.DataType] = {"abnormalities": pl.List(_FOUND)}
_BEFORE = r"(?:(?P<no>no|kein[e]?|ohne|sin|pas de|sans|negativ[eoa]? fur|neg\.? for)\s+)?"
_SIGN = (
    r"(?:\s*[:=(]?\s*(?P<sign>pos(?:itiv[eoa]?)?|neg(?:ativ[eoa]?)?|yes|no|ja|nein|si|oui|non|y|n|"
    r"nachgewiesen|nachweisbar|nicht nachgewiesen|nicht nachweisbar|detected|not detected|present|absent|\+|-(?=\s*(?:[,;/)]|$)))\)?)?"
)
_SHARE = r"(?:\s*[:=(,]?\s*(?P<op>[<>~]=?)?\s*(?P<share>\d{1,3}(?:[.,]\d+)?)\s*%(?:\s*(?:der zellen|of cells|of nuclei|der kerne|zellen|cells|nuclei|kerne))?\)?)?"
_ABSENT = frozenset(
    ["neg", "negativ", "negative", "negativo", "negativa", "no", "nein", "non", "n", "-", "absent"]
    + ["nicht nachgewiesen", "nicht nachweisbar", "not detected"]
)


def parse_cytogenetics(values: Sequence[str | None], missing: tuple[str, ...] = ()) -> pl.DataFrame:
    """The abnormalities that distinct cells name.

    Args:
        values: Cells as read, such as `del17p 15%`, `t(4,14)`, `t(4;14) neg, 1q+ pos`.
        missing: Declared missing tokens besides the words of four languages.

    Returns:
        `value`, `abnormalities` (list of `abnormality`: the column of table risk, or
        `standard_risk`, `other`, `not_done`; `present`: Y or N; `percent`: share of cells), then
        the common columns. A word that is not known makes the cell an error.
    """
    return result_frame(values, _SCHEMA, cytogenetic_rows(values, missing))


def cytogenetic_rows(values: Sequence[str | None], missing: tuple[str, ...] = ()) -> list[Row]:
    """What `parse_cytogenetics` says, one mapping per value."""

    def is_none(value: str | None) -> bool:
        key = match_key(value or "")
        return key not in _codes() and is_missing(value, "code", missing)

    return result_rows(values, _parse, is_none)


@cache
def _codes() -> Mapping[str, str]:
    return MappingProxyType(
        {match_key(row["spelling"]): row["code"] for row in read_csv("cytogenetics")}
    )


@cache
def _pattern() -> re.Pattern[str]:
    names = "|".join(re.escape(key) for key in sorted(_codes(), key=len, reverse=True))
    return re.compile(rf"(?<![\w]){_BEFORE}(?P<name>{names})(?![\w]){_SIGN}{_SHARE}")


def _parse(value: str) -> dict[str, Any]:
    text = match_key(value[:_LONGEST])
    found: dict[str, tuple[str, float | None]] = {}
    for hit in _pattern().finditer(text):
        absent = bool(hit["no"]) or hit["sign"] in _ABSENT
        if hit["op"]:
            return error(RULE, "a share below or above a limit: is the abnormality present?")
        share = float(hit["share"].replace(",", ".")) if hit["share"] else None
        absent = absent or share == 0
        code, present = _codes()[hit["name"]], "N" if absent else "Y"
        if code in found and found[code][0] != present:
            return error(RULE, "the same abnormality is named as present and absent")
        if code not in found or share is not None:
            found[code] = (present, share)
    rest = re.sub(
        r"\b(?:fish|und|and|y|et|with|mit|con|karyotyp|karyotype|result|ergebnis)\b",
        " ",
        _pattern().sub(" ", text),
    )
    if not found or len(value) > _LONGEST or re.search(r"\w", rest):
        return error(
            RULE, "not understood as cytogenetics; expected names such as del(17p) or t(4;14)"
        )
    rows = [
        {"abnormality": code, "present": present, "percent": share}
        for code, (present, share) in found.items()
    ]
    if found.get("high_risk_cytogenetics", ("N", None))[0] == "Y" and len(found) == 1:
        return warning("high risk without naming the abnormality", abnormalities=rows)
    if any(share is not None and 0 < share < LOW_SHARE for _, share in found.values()):
        return warning(
            "found in few cells: the share decides in newer definitions", abnormalities=rows
        )
    if "not_done" in found and len(found) > 1:
        return error(RULE, "not done and a result in one cell")
    return {"abnormalities": rows}
