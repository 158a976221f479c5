"""Titles of columns and names of answers, in every language in which the workbook is written."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from schemas.queries import BOOK_WORDS, ENGLISH, WRITTEN, Words
from transforms.harmonize.values import match_key
from warehouse.query_book.columns import ANSWER_WORDS, CODE, COLUMNS

INPUTS = tuple(column.code for column in COLUMNS if column.input)
READ = ("query_id", *INPUTS)
GIVEN = "given"  # a title of the sheet that only shows what was answered before
_GIVEN_TITLES = ("Your answer", "Your comment")


@cache
def titles() -> dict[str, str]:
    """Match key of a title or hidden code → code of the column, or `GIVEN`."""
    columns = [
        (column.code, (column.title,), (f"{CODE}{column.code}", column.code)) for column in COLUMNS
    ]
    return _keys([*columns, (GIVEN, _GIVEN_TITLES, ())])


@cache
def no_queries() -> frozenset[str]:
    """Match keys of the sentence in a workbook without queries."""
    sentence = "There are no open queries for your center. Nothing is to be done."
    return frozenset(_keys([("none", (sentence,), ())]))


@cache
def answers() -> dict[str, str]:
    """Match key of an answer as a center writes it → code of the answer."""
    return _keys((code, (english,), (code,)) for code, english in ANSWER_WORDS.items())


def _keys(entries: Iterable[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> dict[str, str]:
    languages = [Words(language, further=BOOK_WORDS) for language in (ENGLISH, *WRITTEN)]
    return {
        match_key(text): code
        for code, texts, fixed in entries
        for text in (*fixed, *(words(text) for words in languages for text in texts))
    }
