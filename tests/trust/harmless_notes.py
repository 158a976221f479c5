"""Random clinical notes that tell of nobody: regimens, drugs, dates of treatment, doses, values, stages."""

from __future__ import annotations

import csv
import random
from functools import cache
from pathlib import Path

VOCABULARIES = Path(__file__).parents[2] / "schemas" / "vocabularies"
MONTHS = {
    "en": "January Feb March Apr May June July Aug September Oct Nov December",
    "de": "Januar Feb. März Apr. Mai Juni Juli Aug. September Okt. Nov. Dezember",
    "fr": "janvier févr. mars avril mai juin juillet août sept. octobre nov. décembre",
    "es": "enero feb. marzo abr. mayo junio julio ago. septiembre oct. nov. diciembre",
    "it": "gennaio feb. marzo apr. maggio giugno luglio ago. settembre ott. nov. dicembre",
}
WORDS = {
    "en": "after before since until then first-line relapse bridging cycle stopped for toxicity, PD VGPR CR new lesions",
    "de": "nach vor seit bis dann Erstlinie Rezidiv Bridging Zyklus Abbruch wegen Toxizität, Progress VGPR Nachsorge Narbe",
    "fr": "après avant depuis jusqu'à puis rechute cycle arrêt pour toxicité, progression RC Depuis Suivi",
    "es": "tras antes desde hasta luego recaída ciclo suspendido por toxicidad, progresión RC Desde Tras",
    "it": "dopo prima dal fino poi recidiva ciclo sospeso per tossicità, progressione RC Dopo Oggi",
}
VALUES = (
    "Hb {a},{b} g/dl", "PLT {c}000/µl", "PLT {a}.{c} /nl", "LDH {c} U/l", "Kreatinin {a}.{b} mg/dl", "M-Protein {a}.{b} g/l",
    "{c} mg/m2", "{c} mg d1-{a}", "{a}x{c} mg", "{c}/{a} mg", "{a}.{c}.{c} Zellen", "{c} 000 /ul", "FLC {c}/{a}.{b}", "{a}0 Gy",
    "CD34 {a}.{b} x10^6/kg", "ISS {r}", "R-ISS {r}", "ECOG {s}", "CRS {r}, ICANS {s}", "t(4;14), del(17p) {a}%", "1q21+ ({s})",
    "{a} Linien", "C{a}D{s}", "Q{s}W", "NCT0{c}{c}{s}1", "Charge {c}{s}{c}", "{a}-{s}-{r}", "AUC {s}", "{c} IU", "SUV {a},{b}",
)  # fmt: skip


@cache
def _names() -> tuple[list[str], list[str]]:
    """Spellings of drugs, and of regimens."""

    def column(file: str, name: str) -> list[str]:
        with (VOCABULARIES / file).open(encoding="utf-8", newline="") as rows:
            return [
                one.strip()
                for row in csv.DictReader(rows)
                for one in row[name].split("|")
                if one.strip()
            ]

    return [
        *column("drug_synonyms.csv", "spelling"),
        *column("drugs.csv", "brands"),
        *column("drugs.csv", "abbreviations"),
        *column("drugs.csv", "codes_and_misspellings"),
    ], column("regimens.csv", "variants")


def notes(n: int, seed: int = 1) -> list[str]:
    """So many notes of two to six parts."""
    chance = random.Random(seed)
    found = []
    for _ in range(n):
        language = chance.choice([*WORDS])
        parts = [_part(language, chance) for _ in range(chance.randint(2, 6))]
        text = chance.choice((" ", " ", ", ", "; ", " - ", ": ")).join(parts)
        found.append(text[:1].upper() + text[1:] if chance.randrange(3) == 0 else text)
    return found


def _part(language: str, chance: random.Random) -> str:
    drugs, regimens = _names()
    kind = chance.randrange(6)
    if kind < 2:
        return (_date, _range)[kind](language, chance)
    return (
        _value(chance)
        if kind == 2
        else chance.choice((drugs, regimens, WORDS[language].split())[kind - 3])
    )


def _value(chance: random.Random) -> str:
    return chance.choice(VALUES).format(
        a=chance.randint(2, 40), b=chance.randrange(10), c=chance.randint(100, 999), s=chance.randrange(5),
        r=chance.choice(("I", "II", "III")),
    )  # fmt: skip


def _date(language: str, chance: random.Random) -> str:
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(2012, 2025)
    name = MONTHS[language].split()[month - 1]
    return chance.choice(
        (
            f"{day:02d}.{month:02d}.{year}", f"{day}.{month}.{year % 100:02d}", f"{day:02d}/{month:02d}/{year}",
            f"{year}-{month:02d}-{day:02d}", f"{day}-{month}-{year}", f"{month:02d}/{year}", f"{year}-{month:02d}",
            f"{month}/{year % 100:02d}", f"{day}. {name} {year}", f"{day} {name} {year}", f"{name} {year}", f"{name} {day}, {year}",
            f"{year}", f"{day}{name[:3]}{year}", f"{day}-{name[:3]}-{year % 100:02d}",
        )
    )  # fmt: skip


def _range(language: str, chance: random.Random) -> str:
    first, second = _date(language, chance), _date(language, chance)
    return first + chance.choice(("-", " - ", "–", " bis ", "/", " to ", "->")) + second
