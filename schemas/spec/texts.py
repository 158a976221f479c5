"""Encodings and regular expressions of a spec, tried when it is read and not when a file comes."""

from __future__ import annotations

import codecs
import re
from typing import Annotated

from pydantic import BeforeValidator

# Python knows them as encodings of text; no program exports a table in them.
_NO_EXPORTS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
)
_PLAIN = "id;sex,1\r\n"


def encoding(name: str) -> str:
    """The name, if it is an encoding in which a text table can stand."""
    try:
        found = codecs.lookup(name)
        # Others than encodings of text, such as zlib and rot13, are refused here with LookupError.
        whole = _PLAIN.encode(name).decode(name) == _PLAIN
    except (LookupError, ValueError, UnicodeError):
        raise ValueError(f"'{name}' is no encoding of text: use utf-8 or cp1252") from None
    if not whole or found.name.replace("_", "-") in _NO_EXPORTS:
        raise ValueError(f"'{name}' is no encoding of text: use utf-8 or cp1252")
    return name


def pattern(text: str) -> str:
    """The text, if it is a regular expression for Polars (Rust), which runs all of them.

    That engine takes time by the length of a cell, whatever the pattern; Python's may take for ever.
    """
    if re.search(r"\(\?(?:[=!]|<[=!]|P=)|\\[1-9]", text):
        raise ValueError(f"'{text}' uses look-around or back-references, which are not supported")
    for form in (text, f"^(?:{text})$"):  # as an id's pattern is run
        if problem := _refused(form):
            raise ValueError(f"'{text}' is not a regular expression: {problem}")
    return text


def groups(text: str) -> int:
    """How many groups a regular expression has."""
    import polars as pl

    found = pl.Series([""]).str.extract_groups(text).dtype
    return len(found.fields) if isinstance(found, pl.Struct) else 0


def _refused(text: str) -> str:
    """What the engine says against the expression, in one line; nothing if it takes it."""
    import polars as pl

    try:
        pl.Series([""]).str.contains(text)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as problem:
        lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
        told = next(
            (line for line in lines if line.startswith("error: ")), lines[0] if lines else ""
        )
        return told.removeprefix("error: ").removeprefix("regex error: ") or "it cannot be run"
    return ""


Pattern = Annotated[str, BeforeValidator(pattern)]
Encoding = Annotated[str, BeforeValidator(encoding)]
