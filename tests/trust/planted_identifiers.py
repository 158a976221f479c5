"""Synthetic identifiers in ten languages, in the sentences in which they stand in clinical cells."""

from __future__ import annotations

import random
from pathlib import Path

import yaml

LANGUAGES: dict[str, dict[str, list[str]]] = yaml.safe_load(
    Path(__file__).with_name("planted_languages.yaml").read_text(encoding="utf-8")
)
# The kinds, and the forms of those that are written alike in all languages.
KINDS: dict[str, list[str]] = {
    "name": ["{given} {n}"],
    "titled": [],
    "surname_first": ["{n}, {given}"],
    "birth": [],
    "insurance": [],
    "phone": [],
    "mail": ["person{number}.x{at}klinik-{language}.example.org"],
    "address": [],
}
LETTERS = "ABCDEFGHJKLMNPRSTVWXYZ"
MONTHS_OF_TAX_CODE = "ABCDEHLMPRST"


def identifiers(n: int, seed: int = 1) -> list[tuple[str, str, str]]:
    """Language, kind and cell of n planted identifiers, all languages and kinds alike often."""
    chance = random.Random(seed)
    languages, kinds = list(LANGUAGES), list(KINDS)
    found = []
    for number in range(n):
        language = languages[number % len(languages)]
        kind = kinds[number // len(languages) % len(kinds)]
        form = _numbered(chance.choice(KINDS[kind] or LANGUAGES[language][kind]), chance)
        text = form.format(number=number, language=language, **_person(language, chance))
        if kind == "surname_first" and chance.randrange(5) == 0:
            text = (text.replace("i", "İ") if language == "tr" else text).upper()
        found.append((language, kind, chance.choice(LANGUAGES[language]["frame"]).format(x=text)))
    return found


def _numbered(form: str, chance: random.Random) -> str:
    signs = {"#": "0123456789", "@": LETTERS}
    return "".join(chance.choice(signs.get(sign, sign)) for sign in form)


def _person(language: str, chance: random.Random) -> dict[str, object]:
    block = LANGUAGES[language]
    woman = chance.randrange(2)
    he, she = chance.choice(block["given"][::2]), chance.choice(block["given"][1::2])
    mr, mrs, of_mr, of_mrs = (chance.choice(block["surname"]).split("/") * 4)[:4]
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(1930, 1989)
    return {
        "given": (he, she)[woman], "n": (mr, mrs)[woman],
        "he": he, "she": she, "mr": mr, "mrs": mrs, "of_mr": of_mr, "of_mrs": of_mrs,
        "d": day, "m": month, "y": year, "yy": year % 100, "month": chance.choice(block["month"]),
        "f": day + 40, "w": month + 50, "letter": MONTHS_OF_TAX_CODE[month - 1],
        "h": chance.randint(1, 199), "flat": chance.randint(1, 40),
        "at": chance.choice(("@", "@", "(at)")),
    }  # fmt: skip
