"""One line of a regimen text into drugs: names, acronyms, doses, brackets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from transforms.harmonize.values.codes import load_vocabulary
from transforms.harmonize.values.match import fold, match_key, tidy
from transforms.harmonize.values.regimen_names import find_name, fits, unknown_word
from transforms.harmonize.values.regimen_terms import (
    DATE,
    DOSE,
    IN_TRIAL,
    PROGRESSION,
    Ambiguous,
    Drugs,
    compact,
    compact_key,
    load_terms,
    word_pattern,
    words,
)

RULE = "SAL-01"
ARROW = r"(?:->|=>|>>|(?<=[\w)])\s*>\s*(?=[\w(]))"
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
_TRIAL_REMARK = "given in a trial"
_EDGES = ".,;'\"*()[]"  # a date may have taken one half of its brackets along
_UNTIL = re.compile(r"\b(?:bis|until|to|hasta|jusqu'?au?|end|ende|stop|fin)\s*$")
_SPINE = re.compile(r"(?:bwk|lwk|hwk|bws|lws|hws|th) \d{1,2}")
_VERTEBRA = re.compile(
    r"(?:bwk|lwk|hwk|th|bws|lws|hws|l|t|c|s|d)\s?\d{0,2}(?:\s?-\s?(?:th|l|s)?\d{1,2})?"
)


@dataclass(slots=True)
class Line:
    """One line while it is read: drugs, remarks, and why it could not be read."""

    drugs: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)
    remark: str | None = None
    start_text: str | None = None
    rule_id: str = RULE
    problem: str | None = None
    ambiguous: Ambiguous | None = None
    unknown: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    coded: set[str] = field(default_factory=set)  # drugs that an ATC code names


def whole_text(text: str) -> Line | None:
    """The whole text as one acronym, alias or drug: exact case first."""
    terms = load_terms()
    key = compact_key(text)
    if key in terms.ambiguous and compact(text) not in terms.spared:
        found = terms.ambiguous[key]
        return Line(rule_id=found.rule_id, problem=found.note, ambiguous=found)
    if re.search(ARROW, text) or (word_pattern("sequence").search(fold(text))):
        return None
    drugs = terms.written.get(text) or terms.find(text)
    if drugs is None:
        return None
    line = _known(drugs)
    if len(key) < 3 and compact(text) not in terms.exact and key not in terms.drugs:
        line.remark = "an acronym in unusual case: write the drugs"
    return line


def _known(drugs: Drugs) -> Line:
    line = Line(drugs=set(drugs))
    if "trial_unknown" in drugs:
        line.flags.add("Q_TRIAL")
        line.remark = "a trial drug that is not named"
    if line.drugs == {"fludarabine", "cyclophosphamide"}:
        line.flags.add("LYMPHODEPLETION")
        line.remark = "fludarabine and cyclophosphamide: lymphodepletion is no line"
    return line


def read_line(text: str, own: Mapping[str, str | None]) -> Line:
    """The drugs of one line; with `after`, of what came later."""
    found = word_pattern("after").search(fold(text))
    if found and found.start() > 0 and len(fold(text)) == len(text):
        later, earlier = text[: found.start()], text[found.end() :]
        if _is_cart(earlier):
            line = read_line(later, own)
            line.flags.add("AFTER_CART")
            return line
        return Line(problem="a regimen after another: give one row for each line")
    if match_key(text) in own and own[match_key(text)]:
        return Line(drugs=set(codebook_drugs(own[match_key(text)] or "")))
    return whole_text(text) or _given_in_a_trial(text, own) or _read_parts(text, own)


def _given_in_a_trial(text: str, own: Mapping[str, str | None]) -> Line | None:
    """A named regimen of which the text says that it was given in a trial: no unknown drug beside it."""
    found = IN_TRIAL.search(fold(text))
    if found is None or len(fold(text)) != len(text):
        return None
    before = text[: found.start()]
    if before and match_key(before.split()[-1]) in words("join"):
        return None  # `DPd plus Studie`: a drug more
    rest = before + text[found.end() :]
    line = whole_text(rest) or _read_parts(rest, own)
    if line.problem or "trial_unknown" in line.drugs:
        return None
    line.flags.add("Q_TRIAL")
    line.remark = _TRIAL_REMARK
    return line


def codebook_drugs(target: str) -> Drugs:
    """The drugs of a codebook's target: a regimen, a drug's name, or ids joined by `|`."""
    terms = load_terms()
    return terms.written.get(tidy(target)) or terms.find(target) or tuple(target.split("|"))


def _is_cart(text: str) -> bool:
    key = compact_key(text)
    drugs = load_terms().drugs.get(key)
    return key in _ANY_CART or (drugs is not None and set(drugs) <= _CART)


def _read_parts(text: str, own: Mapping[str, str | None]) -> Line:
    """Names joined by +, /, commas and the like, with doses, dates and routes around them."""
    line = Line()
    folded = fold(text)
    starts = [d for d in DATE.finditer(folded) if not _UNTIL.search(folded[: d.start()])]
    line.start_text = starts[0][0].strip("() ") if starts else None
    body = text if len(folded) == len(text) else folded
    for pattern in (DATE, DOSE, PROGRESSION):
        body = _blank(pattern, body)
    outer, inner = _brackets(body)
    _take(outer, line, own)
    for bracket in inner:
        _take_bracket(bracket, line, own)
    unknown = [atom for atom in line.unknown if not _explains(atom, line)]
    if unknown and not line.problem:
        line.problem = unknown_word(unknown[0])
    if line.named and not line.coded <= line.named and not line.problem:
        line.problem = "a name and an ATC code disagree: old lists used the code for another drug"
    if not line.problem and not line.drugs:
        line.problem = "no known drug in the text"
    if not line.problem:
        _remark(line)
    return line


def _remark(line: Line) -> None:
    known = _known(tuple(line.drugs))
    line.flags |= known.flags
    line.remark = known.remark or line.remark


def _explains(atom: str, line: Line) -> bool:
    """Whether a word that is no drug explains one: the site of a radiation, a trial's target."""
    if compact_key(atom) in _ANY_CART:
        return bool(line.drugs & _CART)
    if match_key(atom) in words("context"):
        return "trial_unknown" in line.drugs or fits(match_key(atom), line.drugs)
    site = match_key(atom) in load_vocabulary("lesion_site").entries or _VERTEBRA.fullmatch(
        fold(atom)
    )
    return "radiotherapy" in line.drugs and bool(site)


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


def _take_bracket(text: str, line: Line, own: Mapping[str, str | None]) -> None:
    """A bracket explains what stands before it, resolves an acronym, or adds with `+`."""
    told = [part for part in re.split(r"[\s,;/]+", text) if part]
    of_trial = [part for part in told if match_key(part) in words("trial")]
    if (
        told
        and all(_is_context(part) for part in told if part not in of_trial)
        and len(told) > len(of_trial)
    ):
        line.flags |= {"Q_TRIAL"} if of_trial else set()
        line.remark = _TRIAL_REMARK if of_trial else line.remark
        return
    if _is_trial_name(text):
        line.flags.add("Q_TRIAL")
        line.remark = _TRIAL_REMARK
        return
    inside = Line()
    _take(text, inside, own)
    if inside.problem or inside.unknown:
        line.problem = line.problem or inside.problem
        line.unknown += inside.unknown
        return
    if line.ambiguous is not None and line.problem == line.ambiguous.note:
        fitting = [names for names in line.ambiguous.readings if inside.drugs <= names]
        if len(fitting) == 1:
            line.drugs, line.problem = line.drugs | fitting[0], None
        return
    if inside.drugs == {"trial_unknown"} or (line.drugs == {"trial_unknown"} and inside.drugs):
        line.drugs |= inside.drugs
        line.drugs -= {"trial_unknown"} if len(line.drugs) > 1 else set()
        line.flags.add("Q_TRIAL")
        line.remark = _TRIAL_REMARK
        return
    generic = not line.drugs and all(_is_context(atom) for atom in line.unknown)
    if not (text.strip().startswith("+") or inside.drugs <= line.drugs or generic):
        line.problem = "the bracket names drugs that the regimen does not have: write all drugs"
    line.drugs |= inside.drugs


def _is_context(atom: str) -> bool:
    """Whether a word says of which kind a drug is: its target, a bispecific, a CAR-T."""
    return compact_key(atom) in _ANY_CART or match_key(atom) in words("context")


def _is_trial_name(text: str) -> bool:
    names = words("trial_name")
    return bool(names & {match_key(re.sub(r"[-\s]*[\d/]+.*$", "", text)), match_key(text)})


def _take(text: str, line: Line, own: Mapping[str, str | None]) -> None:
    """All names of a text, longest first; a word that is no name makes it a problem."""
    atoms = _atoms(text)
    position = 0
    while position < len(atoms):
        step = _longest(atoms, position, line, own)
        if step == 0:
            line.unknown.append(atoms[position])
            position += 1
        position += step


def _atoms(text: str) -> list[str]:
    """Words of a text, without joining words, blanks, signs and bare dashes."""
    spaced = re.sub(r"(?<![\w])(?:w/|u\.)(?=\s)", " ", text)
    # The Italian `and` stands between written-out names; elsewhere an E is a drug that nobody can tell.
    spaced = re.sub(r"(?<=\w{5}) e (?=\w{5})", " + ", spaced)
    found = re.findall(r"[^\s\-/+,;&|:=]+", spaced)
    return [atom.strip(_EDGES) for atom in found if atom.strip(_EDGES)]


def _longest(atoms: list[str], start: int, line: Line, own: Mapping[str, str | None]) -> int:
    """How many atoms from `start` make the longest known name; its drugs go to the line."""
    for length in range(min(6, len(atoms) - start), 0, -1):
        joined = " ".join(atoms[start : start + length])
        if match_key(joined) in own and own[match_key(joined)]:
            line.drugs |= set(codebook_drugs(own[match_key(joined)] or ""))
            return length
        name = find_name(joined, alone=length == 1)
        if isinstance(name, Ambiguous):
            if line.problem is None:
                line.problem, line.rule_id, line.ambiguous = name.note, name.rule_id, name
            return length
        if name is not None:
            by_code = joined.upper() in load_terms().atc
            line.coded |= set(name) if by_code else set()
            line.drugs |= set(name)
            line.named |= set() if by_code else set(name)
            return length
        if match_key(joined) in words("filler") | words("join"):
            return length
        if compact_key(joined) in _ANY_CART or (length == 2 and _SPINE.fullmatch(fold(joined))):
            line.unknown.append(joined)
            return length
        if length == 1 and start > 0 and re.fullmatch(r"\d{2,4}", joined):
            return length  # a dose without its unit, as in HD-Mel 200
    return 0
