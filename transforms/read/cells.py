"""What all readers share about cells: which characters no cell may hold, empty cells, blank rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import polars as pl

from transforms.read.source import Source

# C0 and C1 controls but tab and newlines, marks that reorder or hide text (bidi controls, tag
# characters, a byte-order mark in the middle), and piles of combining marks. Rust syntax.
BAD_CHARACTERS = (
    "[\\x{00}-\\x{08}\\x{0B}\\x{0C}\\x{0E}-\\x{1F}\\x{7F}-\\x{9F}\\x{061C}\\x{202A}-\\x{202E}"
    "\\x{2066}-\\x{2069}\\x{FEFF}\\x{E0000}-\\x{E007F}]|\\p{M}{9}"
)
_BAD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)
_REJECTS = {"_row": pl.Int32(), "code": pl.String(), "problem": pl.String()}


def has_bad_characters(text: str) -> bool:
    """What `BAD_CHARACTERS` finds, for a single text."""
    if text.isascii():
        return _BAD.search(text) is not None
    marks = "".join("M" if unicodedata.category(c)[0] == "M" else " " for c in text)
    return _BAD.search(text) is not None or "M" * 9 in marks


def rejects_frame(rows: Sequence[tuple[int, str, str]]) -> pl.DataFrame:
    """Rejected rows as `_row, code, problem`, in order of the file."""
    return pl.DataFrame(list(rows), schema=_REJECTS, orient="row").sort("_row")


def check_rejects(source: Source, rejects: Sequence[tuple[int, str, str]], limit: int) -> None:
    """FileError CORRUPT if so many rows cannot be read that nobody could answer for them."""
    if len(rejects) > limit:
        row, _, problem = rejects[0]
        raise source.error(
            "CORRUPT",
            f"more than {limit:,} of its rows cannot be read as rows (the first: {problem})",
            "correct 'delimiter', 'quote' and 'header_rows' in the center's spec, or ask the center "
            "for the usual export",
            row=row,
        )


def as_cells(frame: pl.DataFrame, *, empty_text: bool) -> tuple[pl.DataFrame, int]:
    """Empty text to null, blank rows out.

    Args:
        frame: `_row` and String columns.
        empty_text: Some cells may be empty text; saves a pass where none can be.

    Returns:
        The frame, and how many blank rows it held (all cells empty or only spaces).
    """
    columns = [name for name in frame.columns if name != "_row"]
    if not columns or not frame.height:
        return frame, 0
    if empty_text:
        found = frame.select((pl.col(columns).str.len_bytes() == 0).any())
        cells = pl.col([name for name in columns if found[name][0]])
        frame = frame.with_columns(pl.when(cells.str.len_bytes() > 0).then(cells))
    first = frame[columns[0]]
    maybe = first.is_null() | (first.str.strip_chars().str.len_bytes() == 0)
    if not maybe.any():
        return frame, 0
    full = pl.any_horizontal(pl.col(columns).str.strip_chars().str.len_bytes() > 0).fill_null(False)
    candidates = frame.filter(maybe).filter(~full)["_row"]
    if not candidates.len():
        return frame, 0
    return frame.filter(~pl.col("_row").is_in(candidates.implode())), candidates.len()


def split_bad_characters(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[int, str, str]]]:
    """Rows without unacceptable characters, and the rejects of the others."""
    columns = [name for name in frame.columns if name != "_row"]
    if not columns:
        return frame, []
    bad = frame.select(
        pl.any_horizontal(pl.col(columns).str.contains(BAD_CHARACTERS)).fill_null(False)
    ).to_series()
    if not bad.any():
        return frame, []
    problem = "holds control characters or invisible marks"
    rows = [(row, "CONTROL_CHAR", problem) for row in frame.filter(bad)["_row"]]
    return frame.filter(~bad), rows
