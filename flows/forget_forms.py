"""The forms in which a text can stand in files: escaped for XML, JSON, CSV, SQL or a link, in any encoding.

Letters and digits of ASCII stand as they are everywhere; every other character may be escaped,
also twice (a link in a page, a cell of JSON in a CSV). A form too many is harmless: the file is looked at again.
"""

from __future__ import annotations

import html.entities
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

# UTF-16 in both orders; of the others, what programs on centers' machines write.
_WIDE = {"utf-16-le": (b"", b"\\x00"), "utf-16-be": (b"\\x00", b"")}
_NARROW = ("utf-8", "cp1252", "iso8859-15", "iso8859-2", "cp1250", "cp850", "cp437", "mac_roman")
_PLAIN = re.compile(r"[0-9A-Za-z]")
_ALNUM = rb"[0-9A-Za-z]"
_OTHER = "other"
_MANY = 60


class Needles:
    """Finds words in bytes, in all their forms and as whole words: `12` is not found in `2012`.

    Args:
        words: What to look for.
        others: Longer texts that hold a word and are something else, as another patient's id: a word inside
            of them does not count.
    """

    def __init__(self, words: Iterable[str], others: Iterable[str] = ()) -> None:
        self._others = _spellings(others)
        self._wanted: dict[bytes, list[tuple[str, str]]] = {}  # by what all forms hold
        for word in _spellings(words):
            for code in (*(_NARROW[:1] if word.isascii() else _NARROW), *_WIDE):
                self._wanted.setdefault(_core(word, code), []).append((word, code))
        self._made: dict[tuple[str, str], tuple[re.Pattern[bytes], re.Pattern[bytes]]] = {}
        self._some = _one_of(self._wanted) if len(self._wanted) > _MANY else ()

    def found(self, data: bytes) -> bool:
        """Whether one of the words stands in the bytes."""
        if self._some and not any(some.search(data) for some in self._some):
            return False  # of hundreds of words, looking for each by itself takes minutes
        return any(
            self._stands(word, code, data)
            for core, wanted in self._wanted.items()
            if core in data
            for word, code in wanted
        )

    def _stands(self, word: str, code: str, data: bytes) -> bool:
        """Whether a word stands there as a whole word, and not only inside of one of the others.

        The whole word is tried where the word begins: most begin with plain letters, to which the engine leaps,
        while it walks from byte to byte for what stands before a word.
        """
        anywhere, whole = self._patterns(word, code)
        at = anywhere.search(data)
        if at and _OTHER in whole.groupindex:  # another may begin before the word
            return any(match.lastgroup != _OTHER for match in whole.finditer(data))
        while at:
            if whole.match(data, at.start()):
                return True
            at = anywhere.search(data, at.start() + 1)
        return False

    def _patterns(self, word: str, code: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        """The word in an encoding, anywhere and as a whole word; made when first needed, as they are long."""
        if (word, code) not in self._made:
            longer = [one for one in self._others if word in one]
            patterns = _form(word, code), _pattern(word, longer, code)
            self._made[word, code] = re.compile(patterns[0]), re.compile(patterns[1])
        return self._made[word, code]


def _spellings(words: Iterable[str]) -> list[str]:
    """The words with accents as letters of their own and as marks, the longest first."""
    forms = {unicodedata.normalize(form, word) for word in words for form in ("NFC", "NFD")}
    return sorted(forms - {""}, key=lambda one: (-len(one), one))


def _core(word: str, code: str) -> bytes:
    """What stands in every form of a word: its longest run of plain characters."""
    runs = re.findall(rf"{_PLAIN.pattern}+", word)
    return max(runs, key=len, default="").encode(code)


def _one_of(cores: Iterable[bytes]) -> tuple[re.Pattern[bytes], ...]:
    """Patterns that together find any of the cores: plain ones, and those with NUL before or after each letter."""
    kinds: dict[int, list[bytes]] = {}
    for core in cores:
        kinds.setdefault(core[:2].find(b"\0"), []).append(core)
    return tuple(re.compile(b"|".join(map(re.escape, sorted(kind)))) for kind in kinds.values())


def _pattern(word: str, others: Sequence[str], code: str) -> bytes:
    before, after = _edges(code)
    longer = b"|".join(_form(other, code) for other in others)
    apart = b"(?P<other>" + longer + b")" + after + b"|" if longer else b""
    return before + b"(?:" + apart + b"(?:" + _form(word, code) + b")" + after + b")"


def _edges(code: str) -> tuple[bytes, bytes]:
    r"""No letter or digit before and after; the last letter of an escape (`\n`, `\u00e4`, `%20`) is none."""
    left, right = _WIDE.get(code, (b"", b""))
    letter = left + _ALNUM + right
    escapes = (
        _lit("\\", code) + left + b"[nrtbf]" + right,
        _lit("\\u", code) + (left + b"[0-9a-fA-F]" + right) * 4,
        _lit("%", code) + (left + b"[0-9a-fA-F]" + right) * 2,
    )
    before = b"|".join([b"(?<!" + letter + b")", *(b"(?<=" + one + b")" for one in escapes)])
    return b"(?:" + before + b")", b"(?!" + letter + b")"


def _form(word: str, code: str) -> bytes:
    return b"".join(_char(char, code) for char in word)


@lru_cache(maxsize=4096)
def _char(char: str, code: str) -> bytes:
    """All forms of a character; the plain one is among them if the encoding has it."""
    if _PLAIN.fullmatch(char):
        return _lit(char, code)
    number = ord(char)
    amp = _any(["&", "\\u0026"], code) + _any(["amp;", "#38;", "#x26;"], code) + b"*"
    back = b"(?:" + _lit("\\", code) + b")"
    zeros = b"(?:" + _lit("0", code) + b")*"
    forms: list[bytes | None] = []
    names = [name for name, char_of in html.entities.html5.items() if char_of == char]
    if names:
        forms.append(amp + _any([name.rstrip(";") + ";" for name in names], code))
    for sign, digits in (("#", [f"{number}"]), ("#x", _cases(f"{number:x}"))):
        forms += [
            amp + _lit(lead, code) + zeros + _lit(digit + ";", code)
            for digit in digits
            for lead in (sign, sign.upper())
        ]
    units = char.encode("utf-16-be")
    pairs = [units[at : at + 2].hex() for at in range(0, len(units), 2)]
    forms.append(
        b"".join(back + b"+" + _lit("u", code) + _any(_cases(pair), code) for pair in pairs)
    )
    forms.append(b"".join(_any([f"_x{case}_" for case in _cases(pair)], code) for pair in pairs))
    percent = [_any(_cases(f"{byte:02x}"), code) for byte in char.encode("utf-8", "surrogatepass")]
    forms.append(
        b"".join(_lit("%", code) + b"(?:" + _lit("25", code) + b")*" + one for one in percent)
    )
    forms.append(_raw(char, code))
    return b"(?:" + b"|".join(form for form in forms if form) + b")"


def _raw(char: str, code: str) -> bytes | None:
    """The character itself: quotes may be doubled, blanks of any kind, a backslash in front of signs."""
    try:
        text = _lit(char, code)
    except UnicodeEncodeError:
        return None
    back = b"(?:" + _lit("\\", code) + b")"
    if char == "\\":
        return back + b"{1,8}"
    if char in "\"'":
        return b"(?:" + back + b"{0,8}" + text + b"){1,4}"
    if char.isspace():
        return _any([" ", "\t", "\r", "\n", "\u00a0", "+", char], code) + b"{1,4}"
    return back + b"{0,8}" + text if char.isascii() else text


def _cases(digits: str) -> list[str]:
    return list(dict.fromkeys((digits.lower(), digits.upper())))


def _any(texts: Iterable[str], code: str) -> bytes:
    return b"(?:" + b"|".join(_lit(text, code) for text in texts if _fits(text, code)) + b")"


def _lit(text: str, code: str) -> bytes:
    return re.escape(text.encode(code))


def _fits(text: str, code: str) -> bool:
    try:
        text.encode(code)
    except UnicodeEncodeError:
        return False
    return True
