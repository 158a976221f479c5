"""What centers are told, in their own language: `queries/*.yaml`.

English stands in the rules themselves; another language holds title, sentence, query and `asks` of
each rule. A rule that a language lacks is told in English, and so is a language that nobody wrote.
`words.yaml` holds the fixed words of a file of findings, `book.yaml` those of the workbook of queries,
`labels.yaml` labels of codes and columns;
`query_notes` tells the notes on values.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from schemas.errors import CarmonyError

FOLDER = Path(__file__).parent / "queries"
ENGLISH = "en"
WRITTEN = ("de", "es")  # the languages with a file beside English
WORDS, BOOK_WORDS = "words.yaml", "book.yaml"
_TEXTS = ("title", "sentence", "query")
_PLACEHOLDER = re.compile(r"\{\w*\}")


@dataclass(frozen=True, slots=True)
class RuleText:
    """What is told about a rule. `asks`: kind of column → question, with {range} and {codes}."""

    title: str
    sentence: str
    query: str
    asks: Mapping[str, str] = field(default_factory=dict)


class QueryError(CarmonyError):
    """A file of texts is wrong: names file, rule (or word) and problem."""

    def __init__(self, file: str, entry: str, problem: str) -> None:
        super().__init__(f"queries/{file}, {entry}: {problem}", fix="correct the file of texts")


def texts(
    language: str | None,
    rules: Sequence[Mapping[str, Any]] | None = None,
    *,
    folder: Path = FOLDER,
) -> dict[str, RuleText]:
    """Texts of every rule, by id.

    Args:
        language: `de`, `es`; anything else means English.
        rules: entries with id, title, sentence, query and asks; default the rules as declared.
        folder: where the files of the languages are.

    Raises:
        QueryError: an entry of no rule, an unknown key, or placeholders that differ from English.
    """
    english = {rule["id"]: _english(rule) for rule in (_declared() if rules is None else rules)}
    for rule in written(language, folder):
        if rule not in english:
            problem = f"there is no such rule{_nearest(rule, english)}"
            raise QueryError(f"{language}.yaml", f"rule {rule}", problem)
    return _told(english, language, folder)


def in_language(
    rules: Sequence[Mapping[str, Any]], language: str | None, *, folder: Path = FOLDER
) -> list[dict[str, Any]]:
    """The same rule entries with title, sentence, query and asks in a language.

    Raises:
        QueryError: as `texts`; but the rules may be some of those that the file tells.
    """
    told = _told({rule["id"]: _english(rule) for rule in rules}, language, folder)
    return [
        {**rule, **{key: getattr(told[rule["id"]], key) for key in (*_TEXTS, "asks")}}
        for rule in rules
    ]


def written(language: str | None, folder: Path = FOLDER) -> Mapping[str, Any]:
    """What the file of a language holds, as written; nothing for English."""
    return read_texts(folder / f"{language}.yaml") if language in WRITTEN else {}


class Words:
    """Fixed words in one language: `words("Center")`, `words("{n} rows read", n=3)`.

    `further` is a file with more of them, such as `BOOK_WORDS`.
    """

    def __init__(
        self, language: str | None, *, folder: Path = FOLDER, further: str | None = None
    ) -> None:
        self.language = language if language in WRITTEN else ENGLISH
        self._file = further or WORDS
        self._known = read_texts(folder / WORDS)
        if further:
            self._known = {**self._known, **read_texts(folder / further)}

    def __call__(self, english: str, **values: object) -> str:
        """The word, with its placeholders filled.

        Raises:
            QueryError: the word is not in the file, or not in this language.
        """
        entry = self._known.get(english)
        if not isinstance(entry, dict):
            near = _nearest(english, self._known)
            raise QueryError(self._file, f"'{english}'", f"is not there{near}")
        text = english if self.language == ENGLISH else entry.get(self.language)
        if not isinstance(text, str):
            raise QueryError(self._file, f"'{english}'", f"has no {self.language}")
        # In one pass: a value may look like a placeholder itself.
        return _PLACEHOLDER.sub(lambda m: str(values.get(m[0][1:-1], m[0])), text)

    def label(self, english: str) -> str:
        """A label of a code or column; as it is where the language has none."""
        return label(english, self.language)

    def number(self, value: float) -> str:
        """A number as it is written in the language: German and Spanish have a decimal comma."""
        text = f"{value:g}"
        return text if self.language == ENGLISH else text.replace(".", ",")


def label(english: str, language: str | None, *, folder: Path = FOLDER) -> str:
    """A label of a code or column in a language; as it is where `labels.yaml` has none."""
    entry = read_texts(folder / "labels.yaml").get(english) if language in WRITTEN else None
    return str(entry[language]) if isinstance(entry, dict) and language in entry else english


def placeholders(text: str) -> tuple[str, ...]:
    """The {…} of a text, sorted."""
    return tuple(sorted(_PLACEHOLDER.findall(text)))


def _told(
    english: Mapping[str, RuleText], language: str | None, folder: Path
) -> dict[str, RuleText]:
    entries = written(language, folder)
    return {
        rule: _text(f"{language}.yaml", rule, entries[rule], text) if rule in entries else text
        for rule, text in english.items()
    }


def _declared() -> list[dict[str, Any]]:
    from schemas.rules import load_rules

    return [
        {"id": rule.id, "asks": rule.asks, **{key: getattr(rule, key) for key in _TEXTS}}
        for rule in load_rules()
    ]


def _english(rule: Mapping[str, Any]) -> RuleText:
    title, sentence, query = (str(rule.get(key) or "") for key in _TEXTS)
    return RuleText(title or rule["id"], sentence, query, rule.get("asks") or {})


def _text(file: str, rule: str, entry: Any, english: RuleText) -> RuleText:
    if not isinstance(entry, dict):
        raise QueryError(file, f"rule {rule}", "a mapping of keys is expected")
    for key in entry:
        if key not in (*_TEXTS, "asks"):
            near = _nearest(str(key), (*_TEXTS, "asks"))
            raise QueryError(file, f"rule {rule}", f"key '{key}' is unknown{near}")
    for key in _TEXTS:
        if not isinstance(entry.get(key), str):
            raise QueryError(file, f"rule {rule}", f"key '{key}' is missing or not text")
        _same_placeholders(file, rule, key, getattr(english, key), entry[key])
    asks = entry.get("asks", {})
    if not isinstance(asks, dict) or set(asks) != set(english.asks):
        kinds = ", ".join(english.asks) or "none"
        raise QueryError(file, f"rule {rule}", f"key 'asks' needs the kinds of the rule: {kinds}")
    for kind, question in asks.items():
        _same_placeholders(file, rule, f"asks.{kind}", english.asks[kind], str(question or ""))
    return RuleText(entry["title"], entry["sentence"], entry["query"], asks)


def _same_placeholders(file: str, rule: str, key: str, english: str, text: str) -> None:
    wanted, found = placeholders(english), placeholders(text)
    if wanted != found:
        raise QueryError(
            file,
            f"rule {rule}",
            f"key '{key}' has the placeholders {' '.join(found) or 'none'}, "
            f"the rule {' '.join(wanted) or 'none'}",
        )


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1, 0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


@cache
def read_texts(path: Path) -> Mapping[str, Any]:
    """The entries of a file of texts. Raises CarmonyError with the line if it cannot be read."""
    from schemas.yaml_source import read_yaml

    data = read_yaml(path, CarmonyError).data
    if not isinstance(data, dict):
        raise QueryError(path.name, "first line", "a mapping of entries is expected")
    return data
