"""German and Spanish tell every rule, and nothing that is no rule, label or word."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import warehouse
from schemas.catalog import load_catalog
from schemas.queries import FOLDER, WRITTEN, placeholders, read_texts, texts, written
from schemas.rules import Rule, load_rules

RULES = {rule.id: rule for rule in load_rules()}
# Drugs keep their international names, and these are written alike everywhere.
ALIKE = re.compile(r"del\(|t\(\d|Ig[ADGM]$|IMWG|ASTCT|CTCAE|EBMT|Lee |Penn$|Slamf7|POEMS|PCR$|IMiD")
DRUGS = ("drug", "exposure_drug", "salvage_group")


@pytest.mark.parametrize("language", WRITTEN)
def test_every_rule_has_its_texts_and_no_text_is_left_over(language: str) -> None:
    told = set(written(language))
    assert sorted(set(RULES) - told) == []
    assert sorted(told - set(RULES)) == []
    assert set(texts(language)) == set(RULES)  # raises where keys or placeholders are wrong


@pytest.mark.parametrize("language", WRITTEN)
def test_placeholders_of_every_text_are_those_of_the_rule(language: str) -> None:
    told = texts(language)
    for name, rule in RULES.items():
        own = told[name]
        assert placeholders(own.query) == placeholders(rule.query), name
        assert set(own.asks) == set(rule.asks), name
        for kind, question in rule.asks.items():
            assert placeholders(own.asks[kind]) == placeholders(question), name


@pytest.mark.parametrize("language", WRITTEN)
def test_no_text_is_the_english_one_and_no_two_rules_have_one_title(language: str) -> None:
    told = texts(language)
    for name, rule in RULES.items():
        assert told[name].query != rule.query, name
        assert told[name].sentence != rule.sentence, name
    titles = [text.title for text in told.values()]
    assert sorted({title for title in titles if titles.count(title) > 1}) == []


def test_questions_are_polite_and_of_their_language() -> None:
    german, spanish = texts("de"), texts("es")
    for name in RULES:
        assert not re.search(r"\b(du|dein|deine|gib|bitte gib)\b", german[name].query, re.I), name
        assert not re.search(r"\b(tú|tu|tus|tienes|puedes)\b", spanish[name].query, re.I), name
        asked = spanish[name].query
        assert asked.count("?") == asked.count("¿"), name


def mark(rule: Rule) -> str:
    """Changes with every English text of the rule."""
    english = [rule.title, rule.sentence, rule.query, *sorted(rule.asks.values())]
    return hashlib.sha256("\n".join(english).encode()).hexdigest()[:8]


def test_both_languages_were_read_again_since_the_english_changed() -> None:
    """A mark that differs: read the rule in de.yaml and es.yaml, then write its new mark."""
    read = read_texts(Path(__file__).with_name("english_as_translated.yaml"))
    assert {name: mark(rule) for name, rule in RULES.items()} == dict(read)


def test_numbers_in_a_text_are_those_of_the_rule() -> None:
    def numbers(text: str) -> list[str]:
        return sorted(re.findall(r"\d+", text))

    for language in WRITTEN:
        for name, text in texts(language).items():
            english = RULES[name]
            for own, other in ((text.sentence, english.sentence), (text.query, english.query)):
                assert numbers(own) == numbers(other), (language, name)


@pytest.mark.parametrize("name", ["words", "notes", "labels"])
def test_every_entry_has_both_languages_with_its_placeholders(name: str) -> None:
    for english, entry in read_texts(FOLDER / f"{name}.yaml").items():
        assert set(entry) == set(WRITTEN), english
        assert {placeholders(text) for text in entry.values()} == {placeholders(english)}, english


def test_no_label_is_missing_and_none_is_left_over() -> None:
    catalog = load_catalog()
    columns = [column for table in catalog.tables.values() for column in table.columns]
    every = {label for codes in catalog.codelists.values() for label in codes.values()}
    needed = {
        label
        for name, codes in catalog.codelists.items()
        if name not in DRUGS
        for code, label in codes.items()
        if code != label
    } | {c.label for c in columns if c.codelist or c.required or (c.ge, c.le) != (None, None)}
    told = set(read_texts(FOLDER / "labels.yaml"))
    assert sorted(label for label in needed - told if not ALIKE.match(label)) == []
    assert sorted(told - every - {column.label for column in columns}) == []


def test_every_word_is_used_by_the_file_of_findings() -> None:
    folder = Path(warehouse.__path__[0])
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("packet*.py"))
    unused = [w for w in read_texts(FOLDER / "words.yaml") if f'"{w}"' not in code]
    assert sorted(unused) == ["error", "info", "warning"]  # these come with the findings
