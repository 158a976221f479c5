"""What a user is told when something is wrong: one message, never a traceback.

Every error says where (file, sheet, row, column), what was expected and what to do. Values are
named only where they are codes of a vocabulary or names of files, columns and keys; never ids,
dates or free text, because messages reach logs.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path


def visible(text: str) -> str:
    """A text in which nothing is unseen: control and format marks as escapes, lines stay lines."""
    if text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode()
        if c != "\n" and unicodedata.category(c) in {"Cc", "Cf"}
        else c
        for c in text
    )


class CarmonyError(Exception):
    """Base of everything a user can cause and mend. `exit_code` as in the command line's contract."""

    exit_code = 2

    def __init__(self, message: str, *, fix: str = "") -> None:
        # Keys and names of files come from outside.
        self.message, self.fix = visible(message), visible(fix)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}\n  Fix: {self.fix}" if self.fix else self.message


class StudyError(CarmonyError):
    """The study folder or `study.yaml` is wrong."""


class SpecError(CarmonyError):
    """A center's spec is wrong, or does not fit the export. Only that center fails."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a delivery: what is known of file, sheet, row (1-based) and column."""

    file: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        parts = [f"file '{self.file}'"]
        if self.sheet is not None:
            parts.append(f"sheet '{self.sheet}'")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column is not None:
            parts.append(f"column '{self.column}'")
        return ", ".join(parts)


class FileError(CarmonyError):
    """A file of a delivery cannot be read as declared. Only that center fails.

    `code` is one of the reason codes of `docs/messages.md`: ENCODING, WRONG_TYPE, TOO_LARGE,
    CORRUPT, ENCRYPTED, DTD, QUOTING, TRUNCATED, LINE_ENDING, DUPLICATE_COLUMN, NO_ROWS,
    TOO_MANY_COLUMNS, TOO_MANY_FINDINGS, MISSING_COLUMN, UNKNOWN_COLUMN, FORBIDDEN_COLUMN, MISSING_SHEET,
    SHRINK, ALL_HELD, CHANGING, NO_ROOM.
    """

    def __init__(
        self, code: str, place: Place | Path | str, problem: str, *, fix: str = ""
    ) -> None:
        where = place if isinstance(place, Place) else Place(Path(place).name)
        super().__init__(f"{where}: {problem} [{code}]", fix=fix)
        self.code = code
        self.place = where


class AuditStoppedError(CarmonyError):
    """The audit of the staged warehouse failed: what was published before stays."""

    exit_code = 3
