"""How the lines of a CSV become cells: the layout, what proves a line good, and one record's fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r") + b"\x7f"
_NEVER = "\\x00-\\x08\\x0A-\\x1F\\x7F"  # controls but tab, for the class of a Rust pattern
# Characters of European texts, none of which is ever refused: no control, no bidi or combining mark.
_PLAIN = (
    "\\x09\\x20-\\x7E\\x{A0}-\\x{2FF}\\x{370}-\\x{3FF}\\x{1E00}-\\x{1EFF}"
    "\\x{2010}-\\x{2027}\\x{2030}-\\x{205E}\\x{20A0}-\\x{20BF}\\x{2200}-\\x{22FF}"
)
# First bytes of UTF-8 characters outside Latin letters: only those can be marks that do harm.
SUSPECT_LEADS = bytes(b for b in range(0xC2, 0xF5) if b not in (0xC3, 0xC4, 0xC5))


@dataclass(frozen=True)
class Layout:
    """How lines become cells. `terminator` is one of LF, CRLF, CR."""

    delimiter: str
    quote: str
    terminator: str
    names: tuple[str, ...]

    @property
    def width(self) -> int:
        """Number of fields of a record."""
        return len(self.names)

    @property
    def has_pattern(self) -> bool:
        """Whether a record is narrow enough for a regular expression of a bearable size."""
        return self.width <= 1000

    @property
    def separator(self) -> str:
        """What physical lines are split at."""
        return "\r" if self.terminator == "\r" else "\n"

    @cached_property
    def record_pattern(self) -> str:
        """Rust regular expression of one good record without its line separator."""
        d, q = (f"\\x{{{ord(mark):X}}}" for mark in (self.delimiter, self.quote))
        cell = f"(?:{q}(?:[^{q}{_NEVER}]|{q}{q})*{q}|[^{d}{q}{_NEVER}]*)"
        more = f"(?:{d}{cell}){{{self.width - 1}}}" if self.width > 1 else ""
        return cell + more + ("\\r" if self.terminator == "\r\n" else "")

    @cached_property
    def block_pattern(self) -> str:
        """The same for a whole block."""
        end = "\\r" if self.terminator == "\r" else "\\n"
        return f"^(?:{self.record_pattern}{end})*$"

    @cached_property
    def plain_pattern(self) -> str:
        """Narrower than `block_pattern`: proves also that no cell holds characters to refuse."""
        d, q = (f"\\x{{{ord(mark):X}}}" for mark in (self.delimiter, self.quote))
        cell = f"(?:{q}(?:[{_PLAIN}--[{q}]]|{q}{q})*{q}|[{_PLAIN}--[{d}{q}]]*)"
        more = f"(?:{d}{cell}){{{self.width - 1}}}" if self.width > 1 else ""
        end = {"\r": "\\r", "\n": "\\n"}.get(self.terminator, "\\r\\n")
        return f"^(?:{cell}{more}{end})*$"

    @cached_property
    def structure(self) -> bytes:
        """What is left of a record without quotes when all but the structural bytes is deleted."""
        return (self.delimiter * (self.width - 1) + self.terminator).encode()

    @cached_property
    def deleted(self) -> bytes:
        """The bytes that are neither structure nor suspect."""
        kept = self.structural + _CONTROLS + SUSPECT_LEADS
        return bytes(b for b in range(256) if b not in kept)

    @cached_property
    def structural(self) -> bytes:
        """Delimiter, quote and both newline bytes."""
        return (self.delimiter + self.quote + "\r\n").encode()


OPEN = "open"
BAD = "bad"


def split_record(text: str, delimiter: str, quote: str) -> list[str] | str:
    """Fields of one record; OPEN if a quote is not closed in it, BAD if a quote stands wrong."""
    if quote not in text:
        return text.split(delimiter)
    fields: list[str] = []
    at, end = 0, len(text)
    while True:
        if text.startswith(quote, at):
            close = at + 1
            while True:
                close = text.find(quote, close)
                if close < 0:
                    return OPEN
                if not text.startswith(quote, close + 1):
                    break
                close += 2
            fields.append(text[at + 1 : close].replace(quote * 2, quote))
            at = close + 1
            if at < end and text[at] != delimiter:
                return BAD
        else:
            stop = text.find(delimiter, at)
            stop = end if stop < 0 else stop
            cell = text[at:stop]
            if quote in cell:
                return BAD
            fields.append(cell)
            at = stop
        if at >= end:
            return fields
        at += 1
