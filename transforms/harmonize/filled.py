"""Which rows of a block hold anything: a mark that stands for an empty cell fills none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import polars as pl

from transforms.harmonize.batch import FEW
from transforms.harmonize.values.common import read_csv

# What the frame library strips; Python strips four separators more.
_BLANKS = "".join(
    char for char in map(chr, range(0x3001)) if char.isspace() and char not in "\x1c\x1d\x1e\x1f"
)
NO_EVENT = "event=NONE"  # what such a word tells beside the date
Nothing = Callable[[str, list[str]], set[str]]
"""Of the texts of a column, stripped, those that say nothing there."""


@cache
def no_entry() -> frozenset[str]:
    """Casefolded marks of `no_entry.csv`, and words that stand for a date that never came.

    A dash or `entfällt` says that there is nothing to tell. `unknown` or `pending` is not among
    them: what it stands for may have happened, so the row is made and the center is asked.
    """
    never = (row["spelling"] for row in read_csv("date_words") if row["value"] == NO_EVENT)
    marks = (row["spelling"] for row in read_csv("no_entry"))
    return frozenset(text.casefold() for text in (*marks, *never))


def filled_rows(
    frame: pl.DataFrame, names: list[str], tokens: tuple[str, ...], nothing: Nothing
) -> pl.DataFrame:
    """Rows in which one of the columns tells something.

    Args:
        frame: Text frame of a block.
        names: Its columns that can tell something.
        tokens: Texts that the center declared to mean "no value".
        nothing: Decides on a mark: in a column where a dash means negative it is an entry.

    Returns:
        The rows without those that hold only blanks, tokens and marks that say nothing. In a
        large frame the fullest column decides almost every row; only the rest is looked at in all.
    """
    if frame.height <= FEW:
        return _filled_few(frame, names, tokens, nothing)
    ordered = sorted(names, key=lambda name: frame[name].null_count())
    left = (~_told(frame.get_column(ordered[0]), ordered[0], tokens, nothing)).arg_true()
    for name in ordered[1:]:
        if left.is_empty():
            return frame
        left = left.filter(~_told(frame.get_column(name).gather(left), name, tokens, nothing))
    if left.is_empty():
        return frame
    keep = pl.Series([True], dtype=pl.Boolean()).new_from_index(0, frame.height)
    return frame.filter(keep.scatter(left, False))


def _filled_few(
    frame: pl.DataFrame, names: list[str], tokens: tuple[str, ...], nothing: Nothing
) -> pl.DataFrame:
    left = list(range(frame.height))
    for name in names:
        column = frame.get_column(name).to_list()
        empty = _empty({column[at] for at in left}, name, tokens, nothing)
        left = [at for at in left if column[at] in empty]
        if not left:
            return frame
    return frame[sorted(set(range(frame.height)) - set(left))]


def _told(column: pl.Series, name: str, tokens: tuple[str, ...], nothing: Nothing) -> pl.Series:
    """Which cells tell something: nearly all begin with a digit, the distinct others are looked at."""
    digit = ((column >= "0") & (column < ":")).fill_null(False)
    if digit.all() and not tokens and not nothing(name, []):
        return digit
    empty = _empty(column.unique().to_list(), name, tokens, nothing) - {None}
    return column.is_not_null() & ~column.is_in(list(empty))


def _empty(
    texts: Iterable[str | None], name: str, tokens: tuple[str, ...], nothing: Nothing
) -> set[str | None]:
    """Of the cells of a column, those that tell nothing."""
    stripped = {text: (text or "").strip(_BLANKS) for text in texts}
    marks = {text for text in stripped.values() if text.casefold() in no_entry()}
    blank = {"", *tokens, *nothing(name, sorted(marks))}
    return {text for text, bare in stripped.items() if bare in blank}
