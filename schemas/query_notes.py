"""What reading and checking say about a value, in a center's language: `queries/notes.yaml`.

The notes are made in English where a value is read, with what was expected filled in. Here their
parts are found again and told in another language; a note that is not known stays as it is.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from schemas.queries import ENGLISH, FOLDER, WRITTEN, QueryError, label, placeholders, read_texts

_PART = re.compile(r"\{(\w+)\}")


_Patterns = tuple[tuple[re.Pattern[str], str], ...]


class Notes:
    """Tells English notes in one language: `notes("a text and no number")`."""

    def __init__(self, language: str | None, *, folder: Path = FOLDER) -> None:
        self.language = language if language in WRITTEN else ENGLISH
        self._whole: dict[str, str] = {}
        self._patterns: _Patterns = ()
        if self.language != ENGLISH:
            self._whole, self._patterns = _entries(folder / "notes.yaml", self.language)

    def __call__(self, note: str) -> str:
        """The note in the language; as it is where one of its parts is not known."""
        told = [self._told(part) for part in ([note] if note in self._whole else note.split("; "))]
        return note if None in told else "; ".join(part for part in told if part)

    def _told(self, part: str) -> str | None:
        if part in self._whole:
            return self._whole[part]
        for pattern, text in self._patterns:
            found = pattern.fullmatch(part)
            if found:
                filled = {
                    name: self._told(value) or label(value, self.language)
                    for name, value in found.groupdict().items()
                }
                return _fill(text, filled)
        return None


def _fill(text: str, values: dict[str, str]) -> str:
    return _PART.sub(lambda place: values[place[1]], text)


@cache
def _entries(path: Path, language: str) -> tuple[dict[str, str], _Patterns]:
    """Notes without anything filled in, and patterns of the others, those that say most first."""
    whole: dict[str, str] = {}
    patterns: list[tuple[re.Pattern[str], str]] = []
    entries = read_texts(path)
    for english in sorted(entries, key=lambda note: -len(_PART.sub("", note))):
        entry = entries[english]
        text = entry.get(language) if isinstance(entry, dict) else None
        if not isinstance(text, str):
            raise QueryError(path.name, f"'{english}'", f"has no {language}")
        if placeholders(english) != placeholders(text):
            raise QueryError(path.name, f"'{english}'", f"has other placeholders in {language}")
        if placeholders(english):
            split = _PART.split(english)
            parts = [
                f"(?P<{part}>.+?)" if odd else re.escape(part)
                for odd, part in ((n % 2, part) for n, part in enumerate(split))
            ]
            patterns.append((re.compile("".join(parts), re.DOTALL), text))
        else:
            whole[english] = text
    return whole, tuple(patterns)
