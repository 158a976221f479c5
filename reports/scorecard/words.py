"""Words, numbers and shares as the language of a center writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from schemas.queries import ENGLISH, WRITTEN, read_texts

FILE = Path(__file__).with_name("words.yaml")
_PLACEHOLDER = re.compile(r"\{\w+\}")


class Speech:
    """The fixed words of `words.yaml` in one language; English where a language is not written."""

    def __init__(self, language: str | None) -> None:
        self.language = language if language in WRITTEN else ENGLISH
        self._words: Mapping[str, Mapping[str, str]] = read_texts(FILE)

    def __call__(self, key: str, **values: object) -> str:
        """The words of a key with their places filled, in one pass: a value is never a place itself."""
        text = self._words[key][self.language]
        return _PLACEHOLDER.sub(lambda m: str(values.get(m[0][1:-1], m[0])), text)

    def number(self, value: float, decimals: int = 1) -> str:
        """A number with at most so many decimals, with the language's decimal sign."""
        text = f"{value:.{decimals}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        text = "0" if text == "-0" else text
        return text if self.language == ENGLISH else text.replace(".", ",")

    def share(self, value: float) -> str:
        """A share as percent; 100 only where nothing is missing, 0 only where nothing is there."""
        percent = 100 * value
        sign = "%" if self.language == ENGLISH else "\N{NO-BREAK SPACE}%"
        if value < 1 and percent >= 99.95:
            return f">{self.number(99.9)}{sign}"
        if value > 0 and percent < 0.05:
            return f"<{self.number(0.1)}{sign}"
        return f"{self.number(percent)}{sign}"

    def days(self, value: float) -> str:
        """A number of days in words."""
        return self("day") if value == 1 else self("days", n=self.number(value))
