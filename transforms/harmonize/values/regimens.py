"""Regimen texts into lines of drugs: whole known names and acronyms, nothing guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from transforms.harmonize.values.common import error, is_missing, result_frame, warning
from transforms.harmonize.values.match import fold, match_key, tidy
from transforms.harmonize.values.regimen_terms import (
    DATE,
    DOSE,
    Ambiguous,
    Drugs,
    compact,
    compact_key,
    load_terms,
    word_pattern,
    words,
)

RULE = "SAL-01"
_LINE = pl.Struct({"drugs": pl.List(pl.String()), "text": pl.String(), "start_hint": pl.String()})
_SCHEMA: dict[str, pl.DataType] = {"lines": pl.List(_LINE), "flags": pl.List(pl.String())}
_ARROW = r"(?:->|=>|>>|(?<=[\w)])\s*>\s*(?=[\w(]))"
_CART = frozenset(
    [
        "idecabtagene_vicleucel",
        "ciltacabtagene_autoleucel",
        "cesnicabtagene_autoleucel",
        "equecabtagene_autoleucel",
        "zevorcabtagene_autoleucel",
        "anitocabtagene_autoleucel",
        "arlocabtagene_autoleucel",
        "other_bcma_cart_trial",
    ]
)
_ANY_CART = frozenset(
    ("cart", "carttherapy", "cartzelltherapie", "cartcells", "cartinfusion", "carttherapie")
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


@dataclass(slots=True)
class _Line:
    """One line while it is read: drugs, remarks, and why it could not be read."""

    drugs: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)
    remark: str | None = None
    start_hint: str | None = None
    rule_id: str = RULE
    problem: str | None = None
    ambiguous: Ambiguous | None = None


def parse_regimens(
    values: Sequence[str | None],
    codebook: Mapping[str, str | None] | None = None,
    missing: tuple[str, ...] = (),
) -> pl.DataFrame:
    """The lines of therapy that distinct regimen texts name.

    Args:
        values: Cells as read.
        codebook: The center's own spellings → a regimen or drug name, drug ids joined by `|`,
            `NO_THERAPY`, or None for missing. It resolves ambiguous acronyms.
        missing: Declared missing tokens besides the words of four languages.

    Returns:
        `value`, `lines` (list of `drugs`: sorted drug ids, `text`: the part of the cell,
        `start_hint`: a date written beside it), `flags` (`NO_THERAPY`, `Q_TRIAL`,
        `LYMPHODEPLETION`, `AFTER_CART`), then the common columns. A text with a word that is not
        known has no lines: SAL-01, or SAL-08 where B is belantamab or bendamustine.

    Source:
        Dossier sections 4.1 and 4.2.
    """
    own = {match_key(name): target for name, target in (codebook or {}).items()}

    def parse(value: str) -> dict[str, Any]:
        if match_key(value) in own:
            return _from_codebook(value, own[match_key(value)])
        return _parse(value, own)

    def is_none(value: str | None) -> bool:
        return is_missing(value, "regimen", missing) and match_key(value or "") not in own

    return result_frame(values, _SCHEMA, parse, is_none)


def _from_codebook(value: str, target: str | None) -> dict[str, Any]:
    if target is None or target == "MISSING":
        return {"status": "missing"}
    if target == "NO_THERAPY":
        return {"lines": [], "flags": ["NO_THERAPY"]}
    terms = load_terms()
    known = {drug for drugs in terms.drugs.values() for drug in drugs}
    ids = target.split("|")
    if all(drug in known for drug in ids):
        return _row([_Line(drugs=set(ids))], [tidy(value)])
    drugs = terms.written.get(tidy(target)) or terms.find(target)
    if drugs is None:
        return error(RULE, "the center's codebook names no known regimen or drug")
    return _row([_Line(drugs=set(drugs))], [tidy(value)])


def _parse(value: str, own: Mapping[str, str | None]) -> dict[str, Any]:
    if _no_therapy(match_key(value)):
        return {"lines": [], "flags": ["NO_THERAPY"]}
    text = tidy(value)
    whole = _whole(text)
    if whole is not None:
        return _row([whole], [text])
    parts = _split_lines(text)
    lines = [_read_line(part, own) for part in parts]
    return _row(lines, parts)


def _row(lines: list[_Line], texts: list[str]) -> dict[str, Any]:
    for line in lines:
        if line.problem:
            return error(line.rule_id, line.problem)
    flags = sorted(set().union(*(line.flags for line in lines)))
    rows = [
        {"drugs": sorted(line.drugs), "text": text.strip(), "start_hint": line.start_hint}
        for line, text in zip(lines, texts, strict=True)
    ]
    row: dict[str, Any] = {"lines": rows, "flags": flags}
    remarks = [line.remark for line in lines if line.remark]
    return warning(remarks[0], **row) if remarks else row


def _no_therapy(key: str) -> bool:
    known = words("no_therapy")
    parts = [match_key(part) for part in re.split(r"\s*[-/,;:(]\s*|\)\s*$", key) if match_key(part)]
    return key in known or (bool(parts) and all(part in known for part in parts))


def _whole(text: str) -> _Line | None:
    """The whole text as one acronym, alias or drug: exact case first."""
    terms = load_terms()
    key = compact_key(text)
    if key in terms.ambiguous and compact(text) not in terms.spared:
        found = terms.ambiguous[key]
        return _Line(rule_id=found.rule_id, problem=found.note, ambiguous=found)
    if re.search(_ARROW, text) or (word_pattern("sequence").search(fold(text))):
        return None
    drugs = terms.written.get(text) or terms.find(text)
    if drugs is None:
        return None
    line = _known(drugs)
    if len(key) < 3 and compact(text) not in terms.exact and key not in terms.drugs:
        line.remark = "an acronym in unusual case: write the drugs"
    return line


def _known(drugs: Drugs) -> _Line:
    line = _Line(drugs=set(drugs))
    if "trial_unknown" in drugs:
        line.flags.add("Q_TRIAL")
        line.remark = "a trial drug that is not named"
    if line.drugs == {"fludarabine", "cyclophosphamide"}:
        line.flags.add("LYMPHODEPLETION")
        line.remark = "fludarabine and cyclophosphamide: lymphodepletion is no line"
    return line


def _split_lines(text: str) -> list[str]:
    """The parts that follow each other in time, as written."""
    folded = fold(text)
    if len(folded) != len(text):  # a letter changed its length: cut the folded text instead
        text = folded
    pattern = re.compile(rf"\s*[,;]?\s*(?:{_ARROW}|{word_pattern('sequence').pattern})\s*")
    parts, start = [], 0
    for found in pattern.finditer(folded):
        parts.append(text[start : found.start()])
        start = found.end()
    parts.append(text[start:])
    parts = [part for part in parts if part.strip(" ,;")]
    if len(parts) == 1:
        dated = [part for part in re.split(r"\s*[,;]\s+", parts[0]) if part]
        if len(dated) > 1 and all(DATE.search(fold(part)) for part in dated):
            return dated
    return parts


def _read_line(text: str, own: Mapping[str, str | None]) -> _Line:
    """The drugs of one line; with `after`, of what came later."""
    found = word_pattern("after").search(fold(text))
    if found and found.start() > 0 and len(fold(text)) == len(text):
        later, earlier = text[: found.start()], text[found.end() :]
        if _is_cart(earlier):
            line = _read_line(later, own)
            line.flags.add("AFTER_CART")
            return line
        return _Line(problem="a regimen after another: give one row for each line")
    if match_key(text) in own and own[match_key(text)]:
        return _Line(drugs=set(_codebook_drugs(own[match_key(text)] or "")))
    return _whole(text) or _read_parts(text, own)


def _codebook_drugs(target: str) -> Drugs:
    terms = load_terms()
    return terms.written.get(tidy(target)) or terms.find(target) or tuple(target.split("|"))


def _is_cart(text: str) -> bool:
    key = compact_key(text)
    drugs = load_terms().drugs.get(key)
    return key in _ANY_CART or (drugs is not None and set(drugs) <= _CART)


def _read_parts(text: str, own: Mapping[str, str | None]) -> _Line:
    """Names joined by +, /, commas and the like, with doses, dates and routes around them."""
    line = _Line()
    folded = fold(text)
    dates = DATE.findall(folded)
    line.start_hint = dates[0].strip("() ") if dates else None
    body = text if len(folded) == len(text) else folded
    for pattern in (DATE, DOSE):
        body = _blank(pattern, body)
    outer, inner = _brackets(body)
    _take(outer, line, own)
    for bracket in inner:
        _take_bracket(bracket, line, own)
    if not line.problem and not line.drugs:
        line.problem = "no known drug in the text"
    if line.drugs >= {"trial_unknown"} and not line.problem:
        line.flags.add("Q_TRIAL")
        line.remark = "a trial drug that is not named"
    return line


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with what the pattern finds (in folded text) replaced by blanks of equal length."""
    folded = fold_same(text)
    for found in pattern.finditer(folded):
        text = text[: found.start()] + " " * len(found[0]) + text[found.end() :]
    return text


def fold_same(text: str) -> str:
    """Folded text of the same length, letter by letter; blanks are not collapsed."""
    return "".join(
        f if len(f := fold(c)) == 1 else (" " if c.isspace() else c.casefold()[:1]) for c in text
    )


def _brackets(text: str) -> tuple[str, list[str]]:
    inner = re.findall(r"[(\[]([^()\[\]]*)[)\]]", text)
    outer = re.sub(r"[(\[][^()\[\]]*[)\]]", " ", text)
    return outer, [part for part in inner if part.strip(" ,;.+-/")]


def _take_bracket(text: str, line: _Line, own: Mapping[str, str | None]) -> None:
    """A bracket explains what stands before it, resolves an acronym, or adds with `+`."""
    inside = _Line()
    _take(text, inside, own)
    if match_key(text) in words("context"):
        return
    if _is_trial_name(text):
        line.flags.add("Q_TRIAL")
        line.remark = "given in a trial"
        return
    if inside.problem:
        line.problem = line.problem or inside.problem
        return
    if line.ambiguous is not None:
        fitting = [names for names in line.ambiguous.readings if inside.drugs <= names]
        if len(fitting) == 1 and line.problem == line.ambiguous.note:
            line.drugs, line.problem, line.ambiguous = line.drugs | fitting[0], None, None
            return
    if (
        text.strip().startswith("+")
        or inside.drugs <= line.drugs
        or line.drugs == {"trial_unknown"}
    ):
        named = inside.drugs - {"trial_unknown"}
        if line.drugs == {"trial_unknown"} and named:
            line.drugs, line.remark = set(), "given in a trial"
            line.flags.add("Q_TRIAL")
        line.drugs |= named or inside.drugs
        return
    if inside.drugs == {"trial_unknown"}:
        line.flags.add("Q_TRIAL")
        line.remark = "given in a trial"
        return
    line.problem = "the bracket names drugs that the regimen does not have: write all drugs"


def _is_trial_name(text: str) -> bool:
    names = words("trial_name")
    return bool(names & {match_key(re.sub(r"[-\s]*[\d/]+.*$", "", text)), match_key(text)})


def _take(text: str, line: _Line, own: Mapping[str, str | None]) -> None:
    """All names of a text, longest first; a word that is no name makes it a problem."""
    atoms = _atoms(text)
    position = 0
    while position < len(atoms):
        step = _longest(atoms, position, line, own)
        if step == 0:
            if line.problem is None:
                line.problem = _unknown(atoms[position])
            position += 1
        position += step


def _atoms(text: str) -> list[str]:
    """Words of a text, without joining words, blanks, signs and bare dashes."""
    spaced = re.sub(r"(?<![\w])(?:w/|u\.)(?=\s)", " ", text)
    found = re.findall(r"[^\s\-/+,;&|:]+", spaced)
    return [atom.strip(".,;'\"*") for atom in found if atom.strip(".,;'\"*")]


def _longest(atoms: list[str], start: int, line: _Line, own: Mapping[str, str | None]) -> int:
    """How many atoms from `start` make the longest known name; its drugs go to the line."""
    for length in range(min(6, len(atoms) - start), 0, -1):
        joined = " ".join(atoms[start : start + length])
        if match_key(joined) in own and own[match_key(joined)]:
            line.drugs |= set(_codebook_drugs(own[match_key(joined)] or ""))
            return length
        name = _name(joined, alone=length == 1)
        if isinstance(name, Ambiguous):
            if line.problem is None:
                line.problem, line.rule_id, line.ambiguous = name.note, name.rule_id, name
            return length
        if name is not None:
            line.drugs |= set(name)
            return length
        if match_key(joined) in words("filler") | words("join"):
            return length
        if length == 1 and start > 0 and re.fullmatch(r"\d{2,4}", joined):
            return length  # a dose without its unit, as in HD-Mel 200
    return 0


def _name(text: str, alone: bool) -> Drugs | Ambiguous | None:
    """The drugs of a name: a drug, a regimen, an ATC code, or camel-case of those."""
    terms = load_terms()
    key = compact_key(text)
    if text == "d":  # the small d of Isa-d; other single letters stand for several drugs
        return ("dexamethasone",)
    if len(key) < 2:
        return None
    if key in terms.ambiguous and compact(text) not in terms.spared:
        return terms.ambiguous[key]
    if match_key(text) in words("trial"):
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


def _unknown(atom: str) -> str:
    if compact_key(atom).startswith(_LOOKALIKES):
        return f"a word is no known drug; {_LOOKALIKE_NOTE}"
    if len(atom) == 1:
        return "a single letter stands for several drugs: write the drug's name"
    return "a word of the regimen is no known drug, dose or route: write the drugs' names"
