"""Synthetic identifiers in German, English and Spanish, in the sentences in which they stand in clinical cells."""

from __future__ import annotations

import random

# Usual and rarer given names; no real person is meant by any pair.
GIVEN = {
    "de": [
        "Hans",
        "Ursula",
        "Jürgen",
        "Renate",
        "Klaus",
        "Gisela",
        "Dieter",
        "Helga",
        "Uwe",
        "Sabine",
        "Karl-Heinz",
        "Anneliese",
        "Wolfgang",
        "Waltraud",
        "Günther",
        "Ingrid",
        "Manfred",
        "Käthe",
        "Horst",
        "Hildegard",
        "Benedikt",
        "Gunhild",
    ],
    "en": [
        "James",
        "Mary",
        "Robert",
        "Patricia",
        "John",
        "Linda",
        "Michael",
        "Barbara",
        "William",
        "Susan",
        "Richard",
        "Margaret",
        "Thomas",
        "Dorothy",
        "Kenneth",
        "Helen",
        "George",
        "Sharon",
        "Edward",
        "Ruth",
        "Reginald",
        "Winifred",
    ],
    "es": [
        "José",
        "María",
        "Antonio",
        "Carmen",
        "Francisco",
        "Josefa",
        "Manuel",
        "Isabel",
        "Juan",
        "Dolores",
        "Pedro",
        "Pilar",
        "Ángel",
        "Mercedes",
        "Rafael",
        "Lucía",
        "Joaquín",
        "Encarnación",
        "Andrés",
        "Rosario",
        "Casimiro",
        "Herminia",
    ],
}
SURNAME = {
    "de": "Müller Schneider Weiß Großmann Krüger Hoffmann Lindenthal Zabel von Berg Yıldız".replace(
        "von Berg", "von~Berg"
    ).split(),
    "en": [
        "Smith",
        "Johnson",
        "O'Connor",
        "Taylor",
        "McAllister",
        "Wright",
        "Ashworth",
        "Hughes",
        "Barlow-Reed",
        "Pike",
    ],
    "es": [
        "García",
        "Fernández",
        "Núñez",
        "Ibáñez",
        "Ortega",
        "de~la~Torre",
        "Peña",
        "Castaño",
        "Zurita",
        "López-Vega",
    ],
}
TITLE = {
    "de": ("Herr {n}", "Frau {n}", "Hr. {n}", "Dr. {n}", "Name: {n}"),
    "en": ("Mr. {n}", "Mrs {n}", "Ms. {n}", "Patient: {n}", "Surname: {n}"),
    "es": ("Sr. {n}", "Sra. {n}", "Don {n}", "Doña {n}", "Paciente: {n}"),
}
FRAME = {
    "de": ("{x}", "bitte {x} anrufen", "Talvey, s. Brief an {x}", "{x} wünscht Rückruf"),
    "en": ("{x}", "please call {x} first", "Talvey, see letter to {x}", "{x} refused the scan"),
    "es": ("{x}", "llamar a {x} mañana", "Talvey, véase carta a {x}", "{x} no acude a control"),
}
MONTH = {
    "de": ("Januar", "März", "Mai", "August", "Oktober", "Dezember"),
    "en": ("January", "March", "May", "August", "October", "December"),
    "es": ("enero", "marzo", "mayo", "agosto", "octubre", "diciembre"),
}
BORN = {"de": "geb. ", "en": "DOB ", "es": "nacido el "}


def identifiers(n: int, seed: int = 1) -> list[tuple[str, str, str]]:
    """Language, kind and cell of n planted identifiers, all kinds alike often."""
    chance = random.Random(seed)
    kinds = (_name, _titled, _surname_first, _birth, _insurance, _phone, _mail, _address)
    found = []
    for number in range(n):
        language = ("de", "en", "es")[number % 3]
        make = kinds[(number // 3) % len(kinds)]
        frame = chance.choice(FRAME[language])
        found.append(
            (language, make.__name__.strip("_"), frame.format(x=make(language, chance, number)))
        )
    return found


def _pair(language: str, chance: random.Random) -> tuple[str, str]:
    surname = chance.choice(SURNAME[language]).replace("~", " ")
    return chance.choice(GIVEN[language]), surname


def _name(language: str, chance: random.Random, number: int) -> str:
    return " ".join(_pair(language, chance))


def _titled(language: str, chance: random.Random, number: int) -> str:
    return chance.choice(TITLE[language]).format(n=_pair(language, chance)[1])


def _surname_first(language: str, chance: random.Random, number: int) -> str:
    given, surname = _pair(language, chance)
    text = f"{surname}, {given}"
    return text.upper() if number % 5 == 0 else text


def _birth(language: str, chance: random.Random, number: int) -> str:
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(1930, 1989)
    name = chance.choice(MONTH[language])
    words = {
        "de": f"{day}. {name} {year}",
        "en": f"{name} {day}, {year}",
        "es": f"{day} de {name} de {year}",
    }
    forms = (
        f"{day:02d}.{month:02d}.{year}",
        f"{month:02d}/{day:02d}/{year}",
        f"{year}-{month:02d}-{day:02d}",
        f"{BORN[language]}{day}.{month}.{year % 100:02d}",
        words[language],
    )
    return chance.choice(forms)


def _insurance(language: str, chance: random.Random, number: int) -> str:
    d = "".join(str(chance.randrange(10)) for _ in range(12))
    letter = chance.choice("ABCDEFGHJKLMNPRSTVWXYZ")
    forms = {
        "de": (
            f"{letter}{d[:9]}",
            f"{d[:2]}150648{letter}{d[2:5]}",
            f"756.{d[:4]}.{d[4:8]}.{d[8:10]}",
            f"Vers.-Nr. {d[:9]}",
        ),
        "en": (f"{d[:3]}-{d[3:5]}-{d[5:9]}", f"{d[:3]} {d[3:6]} {d[6:10]}", f"MRN {d[:7]}"),
        "es": (
            f"{d[:8]}{letter}",
            f"X{d[:7]}{letter}",
            f"{d[:2]}/{d[2:10]}/{d[10:]}",
            f"NHC {d[:6]}",
        ),
    }
    return chance.choice(forms[language])


def _phone(language: str, chance: random.Random, number: int) -> str:
    d = "".join(str(chance.randrange(10)) for _ in range(9))
    forms = {
        "de": (f"+49 351 {d[:7]}", f"0341 / {d[:7]}", f"0171-{d[:8]}", f"Tel. {d[:6]}"),
        "en": (f"(555) {d[:3]}-{d[3:7]}", f"+44 20 {d[:4]} {d[4:8]}", f"phone {d[:7]}", f"555-{d[:3]}-{d[3:7]}"),
        "es": (f"6{d[:2]} {d[2:5]} {d[5:8]}", f"+34 9{d[:2]} {d[2:4]} {d[4:6]} {d[6:8]}", f"tlf. 9{d[:8]}"),
    }  # fmt: skip
    return chance.choice(forms[language])


def _mail(language: str, chance: random.Random, number: int) -> str:
    at = chance.choice(("@", "@", "(at)"))
    return f"person{number}.x{at}klinik-{language}.example.org"


def _address(language: str, chance: random.Random, number: int) -> str:
    house = chance.randint(1, 199)
    forms = {
        "de": (f"Birkenweg {house}", f"Hauptstraße {house}", f"Leipziger Str. {house}"),
        "en": (f"{house} Maple Street", f"{house} Church Road", f"{house} Orchard Lane"),
        "es": (f"Calle Mayor {house}", f"Avda. Libertad {house}", f"C/ Alcalá {house}"),
    }
    return chance.choice(forms[language])
