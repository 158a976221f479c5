"""The forms in which a word can stand in bytes, each made by the program that makes it."""

from __future__ import annotations

import csv
import html
import io
import json
import unicodedata
import urllib.parse
from collections.abc import Callable

import duckdb
import pytest

from flows.forget_forms import Needles

WORDS = ("R&D-0012", 'O"Neil <7>', "a,b", "Ä-1", "O'Hara-3", "\\\\x/é😀", "AB-1", "a+b=`", "Ж 12;3")


def _csv(cell: str) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(["x", cell, "y"])
    return out.getvalue()


def _numeric(text: str, style: str) -> str:
    return "".join(
        char if char.isascii() and char.isalnum() else style % ord(char) for char in text
    )


def _named(text: str) -> str:
    return text.encode("ascii", "xmlcharrefreplace").decode().replace("Ä", "&Auml;")


def _duckdb(text: str) -> str:
    found = duckdb.execute(
        "SELECT t::VARCHAR FROM (SELECT $1 AS a, [$1] AS b) t", [text]
    ).fetchall()
    return str(found[0][0])


FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: f"x;{text};y",
    "csv": _csv,
    "json": lambda text: json.dumps({"a": text}),
    "json, after a line break": lambda text: json.dumps(f"see\n{text}\tthere"),
    "json, letters as they are": lambda text: json.dumps(text, ensure_ascii=False),
    "json with slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "json, capital digits": lambda text: (
        _numeric(text, "\\u%04X") if ord(max(text)) < 2**16 else text
    ),
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "json in csv": lambda text: _csv(json.dumps({"a": text})),
    "xml": lambda text: f"<t>{html.escape(text)}</t>",
    "xml in json": lambda text: json.dumps(f"<t>{html.escape(text)}</t>"),
    "page in a page": lambda text: html.escape(f"<t>{html.escape(text)}</t>"),
    "numbers": lambda text: _numeric(text, "&#%d;"),
    "hexadecimal numbers": lambda text: _numeric(text, "&#x%X;"),
    "numbers with zeros": lambda text: _numeric(text, "&#%05d;"),
    "letters by number": _named,
    "link": urllib.parse.quote,
    "link, after a blank": lambda text: "x%20" + urllib.parse.quote(text),
    "link in a link": lambda text: urllib.parse.quote(urllib.parse.quote(text)),
    "form": urllib.parse.quote_plus,
    "SQL": lambda text: "'" + text.replace("'", "''") + "'",
    "DuckDB": _duckdb,
    "accents apart": lambda text: unicodedata.normalize("NFD", text),
}
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "cp1252",
    "cp850",
    "mac_roman",
)


def _encoded(text: str) -> list[bytes]:
    found = []
    for encoding in ENCODINGS:
        try:
            found.append(text.encode(encoding))
        except UnicodeEncodeError:
            continue
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_found_in_every_form_and_encoding(word: str, form: str) -> None:
    needles = Needles([word])
    for data in _encoded(FORMS[form](word)):
        assert needles.found(data)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("word", ["R&D-0012", 'O"Neil <7>', "O'Hara-3", "AB-1"])
def test_a_part_of_a_longer_word_is_not_found(word: str, form: str) -> None:
    needles = Needles([word])
    for longer in (f"{word}9", f"9{word}", f"{word}a", f"Q{word}"):
        assert not needles.found(FORMS[form](longer).encode())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("word", ["R&D-0012", 'O"Neil <7>', "O'Hara-3", "AB-1"])
def test_a_word_inside_of_another_known_one_counts_only_if_it_stands_apart_too(
    word: str, form: str
) -> None:
    others = [f"{word}-2", f"X-{word}", f"X-{word}-2", "no such word"]
    needles = Needles([word], others)
    inside = [FORMS[form](other) for other in others]
    for text in inside:
        assert not needles.found(text.encode())
    for text in inside:
        assert needles.found(f"{text} {FORMS[form](word)}".encode())


def test_no_word_is_found_nowhere() -> None:
    assert not Needles([]).found(b"anything")
    assert not Needles([""]).found(b"anything")


@pytest.mark.parametrize("code", ["utf-8", "utf-16-le", "utf-16-be"])
def test_each_of_hundreds_of_words_is_found_and_nothing_else(code: str) -> None:
    words = [f"zq{number:03d}x" for number in range(300)]
    needles = Needles(words)
    for word in words[::37]:
        assert needles.found(f"some text, {word} and more".encode(code))
    assert not needles.found("some text, zq300x, zq00x and zq0001x".encode(code))


@pytest.mark.parametrize("code", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_word_that_stands_apart_after_longer_ones_is_found(code: str) -> None:
    needles = Needles(["AB-1", "-x-"])
    longer = "AB-12, ZAB-1 and CAB-19; a-x-b"
    assert not needles.found(longer.encode(code))
    for text in (f"{longer} AB-1", f"{longer} (-x-)", f"{longer}, AB-1,AB-12"):
        assert needles.found(text.encode(code))
    # The part that is not a whole word begins before the one that is, and overlaps it.
    assert Needles(["1-1"]).found("21-1-1".encode(code))
