"""The dictionary of regimens: drugs, acronyms, ambiguous letters and the words around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from transforms.harmonize.values.common import read_csv
from transforms.harmonize.values.match import fold, match_key, tidy

Drugs = tuple[str, ...]
_NAME_COLUMNS = (
    "drug_id",
    "generic_name",
    "inn_de",
    "inn_es",
    "inn_fr",
    "brands",
    "abbreviations",
    "codes_and_misspellings",
)
_SEPARATORS = re.compile(r"[\s\-/+,&._]+")


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """An acronym that stands for several regimens."""

    rule_id: str
    readings: tuple[frozenset[str], ...]
    note: str


@dataclass(frozen=True, slots=True)
class Terms:
    """All spellings; keys are compact: without blanks, dashes, slashes, plus signs and dots.

    Attributes:
        written: Regimen or variant exactly as `regimens.csv` writes it → drugs.
        exact: Compact spelling of regimens with its case → drugs.
        folded: Compact folded spelling of regimens → drugs, where all of that key agree.
        drugs: Compact folded name of a drug → that drug alone.
        atc: ATC code → drug, where it belongs to one drug.
        ambiguous: Compact folded acronym → its readings.
        spared: Compact spellings with case that are not ambiguous although their folded key is.
    """

    written: Mapping[str, Drugs]
    exact: Mapping[str, Drugs]
    folded: Mapping[str, Drugs]
    drugs: Mapping[str, Drugs]
    atc: Mapping[str, str]
    ambiguous: Mapping[str, Ambiguous]
    spared: frozenset[str]

    def find(self, text: str) -> Drugs | None:
        """The drugs of one name: a drug, else a regimen with its case, else without.

        Letters that stand apart (`P/D`) are no acronym: at most one may, as in `K-Pom-Dex`.
        """
        if sum(len(part) == 1 for part in _SEPARATORS.split(text)) > 1:
            return None
        key = compact_key(text)
        return self.drugs.get(key) or self.exact.get(compact(text)) or self.folded.get(key)


def compact(text: str) -> str:
    """The spelling without separators, case kept."""
    return _SEPARATORS.sub("", tidy(text))


def compact_key(text: str) -> str:
    """The spelling without separators, folded."""
    return _SEPARATORS.sub("", fold(text))


@cache
def load_terms() -> Terms:
    """The dictionary from `drugs.csv`, `regimens.csv` and `ambiguous_regimens.csv`."""
    written: dict[str, Drugs] = {}
    exact: dict[str, Drugs] = {}
    folded: dict[str, set[Drugs]] = {}
    for row in read_csv("regimens"):
        drugs = tuple(sorted(row["components"].split("|")))
        for name in (row["regimen"], *filter(None, row["variants"].split("|"))):
            written.setdefault(tidy(name), drugs)
            exact.setdefault(compact(name), drugs)
            folded.setdefault(compact_key(name), set()).add(drugs)
    names, atc = _load_drugs()
    ambiguous, spared = _load_ambiguous()
    return Terms(
        MappingProxyType(written),
        MappingProxyType(exact),
        MappingProxyType(_agreed(folded)),
        MappingProxyType(names),
        MappingProxyType(atc),
        MappingProxyType(ambiguous),
        spared,
    )


def _agreed(found: Mapping[str, set[Drugs]]) -> dict[str, Drugs]:
    return {key: next(iter(sets)) for key, sets in found.items() if len(sets) == 1}


def _load_drugs() -> tuple[dict[str, Drugs], dict[str, str]]:
    """Names of two letters and more, and ATC codes that belong to one drug."""
    names: dict[str, set[Drugs]] = {}
    atc: dict[str, set[str]] = {}
    for row in read_csv("drugs"):
        for column in _NAME_COLUMNS:
            for name in filter(None, row[column].split("|")):
                if len(compact_key(name)) > 1:
                    names.setdefault(compact_key(name), set()).add((row["drug_id"],))
        for code in filter(None, (row["atc"], row["atc_legacy_unverified"])):
            atc.setdefault(code, set()).add(row["drug_id"])
    for row in read_csv("drug_synonyms"):
        names.setdefault(compact_key(row["spelling"]), set()).add(tuple(row["drugs"].split("|")))
    return _agreed(names), {code: next(iter(ids)) for code, ids in atc.items() if len(ids) == 1}


def _load_ambiguous() -> tuple[dict[str, Ambiguous], frozenset[str]]:
    found: dict[str, Ambiguous] = {}
    spared: set[str] = set()
    for row in read_csv("ambiguous_regimens"):
        readings = tuple(
            frozenset(row[column].split("|"))
            for column in ("reading", "other_reading")
            if row[column]
        )
        found[compact_key(row["acronym"])] = Ambiguous(row["rule_id"], readings, row["note"])
        if row["casing"].startswith("not:"):
            spared.add(row["casing"][4:])
    return found, frozenset(spared)


@cache
def words(kind: str) -> frozenset[str]:
    """Match keys of the words of that kind in `regimen_words.csv`, also without their dashes."""
    keys = {match_key(row["spelling"]) for row in read_csv("regimen_words") if row["kind"] == kind}
    return frozenset(keys | {key.replace("-", " ") for key in keys})


@cache
def word_pattern(kind: str) -> re.Pattern[str]:
    """Any word or phrase of the kind, as whole words in folded text; longest first."""
    phrases = sorted((re.escape(word) for word in words(kind)), key=len, reverse=True)
    return re.compile(rf"(?<![\w]){'(?:' + '|'.join(phrases) + ')'}(?![\w])\.?")


_NUMBER = r"\d+(?:[.,]\d+)?"
_MONTHS = r"(?:jan|feb|mar|apr|mai|may|jun|jul|aug|sep|okt|oct|nov|dez|dec|dic|ene|abr|ago|avr|mrz|marz)[a-z]*\.?"
DATE = re.compile(
    rf"\(?(?<![\w.])(?:\d{{1,2}}[./]\d{{1,2}}[./](?:\d{{2,4}})?|\d{{4}}-\d{{2}}(?:-\d{{2}})?|\d{{1,2}}[./](?:\d{{4}}|\d{{2}})"
    rf"|(?:\d{{1,2}}\.?\s*)?{_MONTHS}\s*'?\d{{2,4}}|(?<=seit )\d{{4}}|(?<=since )\d{{4}}|(?<=ab )\d{{4}})(?![\w])"
    rf"(?!\s*(?:mg|g|ug|gy)\b)\)?"
)
_DAY = r"(?:d|t|j|day|tag|dia|jour)"
DOSE = re.compile(
    rf"(?<![\w.])(?:"
    rf"{_NUMBER}(?:\s*[-/>]+\s*{_NUMBER})*\s*(?:mg|g|ug|\u03bcg|mcg|ml|gy|x?\s?10\^?6|mio\.?|e6)(?:\s*/\s*(?:kg|m2|m\^2|qm|d|tag|day|dia|wo|woche|week|sem))*(?:\s*kg)?"
    rf"|\d+\s*x\s*{_NUMBER}\s*gy|x\s?\d+|\d+\s?x(?=\s|$)|\d+\s*\.?\s*(?:zyklen|zyklus|zykl\.?|cycles?|ciclos?|cures?|gaben|doses|dosis|fractions|fraktionen|fx|sitzungen|sesiones|seances)"
    # A cycle with its day (`C1D1`, `C2D8-D15`) is a mark of time as the cycle alone.
    rf"|(?:c|z|cycle|zyklus|ciclo)\s?\d+(?:\s?-\s?[cz]?\d+)?(?:[\s./-]?{_DAY}\s?\d+(?:\s?[,-]\s?{_DAY}?\s?\d+)*)?|q\s?\d+\s?(?:w|d)|d\s?\d+(?:\s?[,-]\s?d?\d+)*(?:\s*/\s*\d+)?|t\s?\(?11[;,]14\)?|alle \d+ (?:wochen|tage)|every \d+ (?:weeks|days)|cada \d+ (?:semanas|dias)|toutes les \d+ semaines|(?:tag|day|dia|jour) \d+"
    rf")(?![\w])"
)
# Not behind `+` or a comma, where the trial's drug is one more: `KRd + Studie`.
_TRIAL = (
    r"(?:(?:klin\w*|clinical|clinico|clinique|phase(?: |-)?[i1-3/]+)[ -])?"
    r"(?:studien?|trial|study|ensayo(?: clinico)?|essai(?: clinique)?|studio(?: clinico)?)"
)
IN_TRIAL = re.compile(
    rf"\b(?:im rahmen|in|innerhalb|within|as part of|on|dentro de|en|dans(?: le cadre)?|nell'ambito di)"
    rf" (?:d'|einer |eines |der |a |an |the |un |uno |une |de |di |d'un )*{_TRIAL}\b"
    rf"|(?<=\w)[ -]{_TRIAL}(?= *$)"
)
# Why or how long a line was given: its PD is no pomalidomide.
PROGRESSION = re.compile(
    r"\b(?:bis|until|till|to|hasta|jusqu'?a|fino a|wegen|due to|because of|bei|upon|at|on|por|pour|per)\s+"
    r"(?:zum |zur |la |disease )?(?:pd|progress(?:ion|ione)?|progresion|progredienz|relapse|rezidiv|recaida|rechute)\b"
)
