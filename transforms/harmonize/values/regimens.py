"""Regimen texts into lines of drugs: whole known names and acronyms, nothing guessed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from transforms.harmonize.values.common import (
    Row,
    error,
    is_missing,
    result_frame,
    result_rows,
    warning,
)
from transforms.harmonize.values.dates import DateFormat, parse_date
from transforms.harmonize.values.match import fold, match_key, tidy
from transforms.harmonize.values.regimen_line import ARROW, RULE, Line, read_line, whole_text
from transforms.harmonize.values.regimen_terms import DATE, load_terms, word_pattern, words

_LINE = pl.Struct(
    {
        "drugs": pl.List(pl.String()),
        "text": pl.String(),
        "start_hint": pl.Date(),
        "start_text": pl.String(),
    }
)
_LONGEST = 600  # letters; a longer cell is a letter, no regimen
_SCHEMA: dict[str, pl.DataType] = {"lines": pl.List(_LINE), "flags": pl.List(pl.String())}


def parse_regimens(
    values: Sequence[str | None],
    codebook: Mapping[str, str | None] | None = None,
    missing: tuple[str, ...] = (),
    dates: DateFormat | None = None,
) -> pl.DataFrame:
    """The lines of therapy that distinct regimen texts name.

    Args:
        values: Cells as read.
        codebook: The center's own spellings → a regimen or drug name, drug ids joined by `|`,
            `NO_THERAPY`, or None for missing. It resolves ambiguous acronyms.
        missing: Declared missing tokens besides the words of four languages.
        dates: How the center writes dates, for a date beside a regimen. Without it a date with
            slashes is not read, because its order is not known.

    Returns:
        `value`, `lines` (list of `drugs`: sorted drug ids, `text`: the part of the cell,
        `start_hint`: a full date written beside it, `start_text`: that date or part of a date as
        written), `flags` (`NO_THERAPY`, `Q_TRIAL`,
        `LYMPHODEPLETION`, `AFTER_CART`), then the common columns. A text with a word that is not
        known has no lines: SAL-01, or SAL-08 where B is belantamab or bendamustine.

    Source:
        Dossier sections 4.1 and 4.2.
    """
    return result_frame(values, _SCHEMA, regimen_rows(values, codebook, missing, dates))


def regimen_rows(
    values: Sequence[str | None],
    codebook: Mapping[str, str | None] | None = None,
    missing: tuple[str, ...] = (),
    dates: DateFormat | None = None,
) -> list[Row]:
    """What `parse_regimens` says, one mapping per value."""
    own = {match_key(name): target for name, target in (codebook or {}).items()}

    def parse(value: str) -> dict[str, Any]:
        if match_key(value) in own:
            return _from_codebook(value, own[match_key(value)])
        return _parse(value, own, dates)

    def is_none(value: str | None) -> bool:
        return is_missing(value, "regimen", missing) and match_key(value or "") not in own

    return result_rows(values, parse, is_none)


def _from_codebook(value: str, target: str | None) -> dict[str, Any]:
    if target is None or target == "MISSING":
        return {"status": "missing"}
    if target == "NO_THERAPY":
        return {"lines": [], "flags": ["NO_THERAPY"]}
    terms = load_terms()
    known = {drug for drugs in terms.drugs.values() for drug in drugs}
    ids = target.split("|")
    if all(drug in known for drug in ids):
        return _row([Line(drugs=set(ids))], [tidy(value)])
    drugs = terms.written.get(tidy(target)) or terms.find(target)
    if drugs is None:
        return error(RULE, "the center's codebook names no known regimen or drug")
    return _row([Line(drugs=set(drugs))], [tidy(value)])


def _parse(value: str, own: Mapping[str, str | None], dates: DateFormat | None) -> dict[str, Any]:
    if len(value) > _LONGEST:
        return error(RULE, "a text and no regimen: give the drugs of the line")
    if _no_therapy(match_key(value)):
        return {"lines": [], "flags": ["NO_THERAPY"]}
    text = tidy(value)
    whole = whole_text(text)
    if whole is not None:
        return _row([whole], [text])
    parts = [part for part in _split_lines(text) if not _no_therapy(match_key(part))]
    return _row([read_line(part, own) for part in parts], parts, dates)


def _row(lines: list[Line], texts: list[str], dates: DateFormat | None = None) -> dict[str, Any]:
    for line in lines:
        if line.problem:
            return error(line.rule_id, line.problem)
    flags = sorted(set().union(*(line.flags for line in lines)))
    rows = [
        {
            "drugs": sorted(line.drugs),
            "text": text.strip(),
            "start_hint": _start(line.start_text, dates),
            "start_text": line.start_text,
        }
        for line, text in zip(lines, texts, strict=True)
    ]
    row: dict[str, Any] = {"lines": rows, "flags": flags}
    remarks = [line.remark for line in lines if line.remark]
    return warning(remarks[0], **row) if remarks else row


def _start(text: str | None, dates: DateFormat | None) -> dt.date | None:
    """The day of a full date; None for a part of one, and for slashes of unknown order."""
    if text is None or (dates is None and "/" in text):
        return None
    found = parse_date(text, dates or DateFormat())
    is_day = found.get("precision") == "day" and found.get("status") != "error"
    return found["date"] if is_day else None


def _no_therapy(key: str) -> bool:
    known = words("no_therapy")
    parts = [match_key(part) for part in re.split(r"\s*[-/,;:(]\s*|\)\s*$", key) if match_key(part)]
    return key in known or (bool(parts) and all(part in known for part in parts))


def _split_lines(text: str) -> list[str]:
    """The parts that follow each other in time, as written."""
    folded = fold(text)
    if len(folded) != len(text):  # a letter changed its length: cut the folded text instead
        text = folded
    pattern = re.compile(rf"\s*[,;]?\s*(?:{ARROW}|{word_pattern('sequence').pattern})\s*")
    parts, start = [], 0
    for found in pattern.finditer(folded):
        parts.append(text[start : found.start()])
        start = found.end()
    parts.append(text[start:])
    parts = [part for part in parts if part.strip(" ,;")]
    if len(parts) == 1:
        dated = [part for part in re.split(r"\s*[,;]\s+", parts[0]) if part]
        days = [day[0] for part in dated if (day := DATE.search(fold(part)))]
        # Drugs that started together are one line.
        if len(dated) > 1 and len(days) == len(dated) and len(set(days)) > 1:
            return dated
    return parts
