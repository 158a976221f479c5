"""Files of texts: what is wrong with them is named, and notes are told part by part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from schemas.errors import CarmonyError
from schemas.queries import QueryError, Words, in_language, label, texts
from schemas.query_notes import Notes
from transforms.harmonize.values import (
    DateFormat,
    NumberFormat,
    parse_cytogenetics,
    parse_dates,
    parse_numbers,
    parse_regimens,
    parse_responses,
)

RULES = [
    {
        "id": "AAA-01",
        "title": "Sex known",
        "sentence": "The sex is known.",
        "query": "Which sex?",
        "asks": {"code": "One of {codes}?"},
    },
    {"id": "AAA-02", "title": "Age known", "sentence": "The age is known.", "query": "Which age?"},
]
GERMAN = """\
AAA-01:
  title: Geschlecht bekannt
  sentence: Das Geschlecht ist bekannt.
  query: Welches Geschlecht?
  asks: {code: "Eines von {codes}?"}
"""


def told(folder: Path, content: str, language: str = "de") -> dict[str, str]:
    (folder / f"{language}.yaml").write_text(content, encoding="utf-8")
    return {rule: text.query for rule, text in texts(language, RULES, folder=folder).items()}


def test_a_rule_without_a_text_is_told_in_english(tmp_path: Path) -> None:
    assert told(tmp_path, GERMAN) == {"AAA-01": "Welches Geschlecht?", "AAA-02": "Which age?"}


@pytest.mark.parametrize("language", ["en", "fr", None, "../de"])
def test_a_language_without_a_file_is_told_in_english(tmp_path: Path, language: str | None) -> None:
    known = texts(language, RULES, folder=tmp_path)
    assert known["AAA-01"].query == "Which sex?"
    assert known["AAA-01"].asks == {"code": "One of {codes}?"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("AAA-01", "AAA-11", r"rule AAA-11: there is no such rule; did you mean 'AAA-01'\?"),
        ("AAA-01", "ZZ", r"rule ZZ: there is no such rule\n"),
        ("query:", "querry:", r"rule AAA-01: key 'querry' is unknown; did you mean 'query'\?"),
        ("  title: Geschlecht bekannt\n", "", "rule AAA-01: key 'title' is missing or not text"),
        ("{codes}", "{code}", r"'asks.code' has the placeholders {code}, the rule {codes}"),
        ("Welches Geschlecht?", '"{row}?"', "'query' has the placeholders {row}, the rule none"),
        ("{code: ", "{date: ", "'asks' needs the kinds of the rule: code"),
        ('  asks: {code: "Eines von {codes}?"}\n', "", "'asks' needs the kinds of the rule: code"),
    ],
)
def test_a_wrong_text_is_named_with_file_and_rule(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    with pytest.raises(QueryError, match=problem) as caught:
        told(tmp_path, GERMAN.replace(old, new))
    assert caught.value.message.startswith("queries/de.yaml, rule ")


def test_a_rule_told_twice_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(CarmonyError, match="de.yaml, line 6: key 'AAA-01' is written twice"):
        told(tmp_path, GERMAN + GERMAN)


def test_some_of_the_rules_are_told_and_keep_what_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "de.yaml").write_text(GERMAN, encoding="utf-8")
    other = {**RULES[1], "severity": "error"}
    assert in_language([other], "de", folder=tmp_path) == [{**other, "asks": {}}]
    (told,) = in_language(RULES[:1], "de", folder=tmp_path)
    assert told == {
        "id": "AAA-01",
        "title": "Geschlecht bekannt",
        "sentence": "Das Geschlecht ist bekannt.",
        "query": "Welches Geschlecht?",
        "asks": {"code": "Eines von {codes}?"},
    }


@pytest.mark.parametrize(
    ("note", "german", "spanish"),
    [
        ("a text and no number", "ein Text und keine Zahl", "un texto y no un número"),
        (
            "the row cannot be read: 5 fields, the header has 4 [FIELD_COUNT]",
            "die Zeile kann nicht gelesen werden: 5 Felder, die Überschrift hat 4 [FIELD_COUNT]",
            "la fila no se puede leer: 5 campos, el encabezado tiene 4 [FIELD_COUNT]",
        ),
        (
            "no such day in the calendar; expected month/day/year",
            "diesen Tag gibt es im Kalender nicht; erwartet wird Monat/Tag/Jahr",
            "ese día no existe en el calendario; se espera mes/día/año",
        ),
        (
            "Age at infusion must be at most 100. Please correct it.",
            "Alter bei Infusion: Der Wert darf höchstens 100 betragen. Bitte korrigieren Sie ihn.",
            "Edad en la infusión: el valor debe ser 100 como máximo. Por favor, corríjalo.",
        ),
        (
            "the patient id does not have the form that the spec declares, and no patient row has it",
            "die Patienten-ID hat nicht die für Ihr Zentrum angegebene Form und kommt in der "
            "Patiententabelle nicht vor",
            "el identificador del paciente no tiene la forma declarada para su centro y no figura "
            "en la tabla de pacientes",
        ),
        ("something nobody wrote", "something nobody wrote", "something nobody wrote"),
        # One part is known and one is not: half a translation would be worse than none.
        ("a text and no number; and more", "a text and no number; and more",
         "a text and no number; and more"),
    ],
)  # fmt: skip
def test_a_note_is_told_with_what_was_filled_in(note: str, german: str, spanish: str) -> None:
    assert (Notes("de")(note), Notes("es")(note)) == (german, spanish)
    assert Notes("en")(note) == note
    assert Notes("fr")(note) == note


READ: list[tuple[Callable[[list[str]], pl.DataFrame], list[str]]] = [
    (
        lambda values: parse_dates(values, DateFormat(order="dmy")),
        ["31.02.2023", "12.13.2023", "01.01.1900", "im Mai", "Q2 2023", "03/2023 - 05/2023",
         "01.02.2023 und 03.04.2023", "12.03.", "11.11.1850", "03.05", "x" * 130],
    ),
    (
        lambda values: parse_numbers(values, NumberFormat(quantity="albumin")),
        ["viel", "5,3,2", "35 foo", "35 mg/24h", "9-3", "2x ULN", "#DIV/0!", "x" * 130],
    ),
    (
        lambda values: parse_responses(values),
        ["gut", "1", "PD?", "CRi", "PR/MR", "responder", "CR, PR"],
    ),
    (
        lambda values: parse_regimens(values),
        ["Wundermittel", "BVd", "TD", "LD", "x", "x" * 2000, "MP", "IPd", "HyperCVAD"],
    ),
    (
        lambda values: parse_cytogenetics(values),
        ["unklar", "del(17p) <5%", "del(17p), kein del(17p)"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("parse", "values"), READ)
def test_what_parsers_say_of_values_that_they_do_not_understand_is_told(
    parse: Callable[[list[str]], pl.DataFrame], values: list[str]
) -> None:
    notes = parse(values).filter(pl.col("status") == "error")["note"].unique().to_list()
    assert len(notes) >= 3
    for language in ("de", "es"):
        assert [note for note in notes if Notes(language)(note) == note] == []


def test_a_label_is_told_and_one_that_nobody_wrote_stays() -> None:
    assert (label("Liver", "de"), label("Liver", "es")) == ("Leber", "Hígado")
    assert (label("Liver", "en"), label("Liver", None)) == ("Liver", "Liver")
    assert label("daratumumab", "de") == "daratumumab"


def test_every_word_of_a_file_of_findings_is_there_in_both_languages() -> None:
    for english in ("Findings", "About", "Not met", "{n} rows read"):
        assert len({Words(language)(english) for language in ("en", "de", "es")}) == 3
