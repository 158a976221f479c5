"""Which encoding a text file has: proved by a mark or by strict UTF-8, else declared, never guessed."""

from __future__ import annotations

import codecs
import re

from transforms.read.source import Source

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Letters that hospitals' German, Spanish and French write; other results of a decoding are unlikely.
_LIKELY = re.compile("[ÄÖÜäöüßÀÂÇÈÉÊÎÔÙàâçèéêëîïôùûÁÍÓÚÑáíóúñ¿¡µ°²³±§–’“”„€ ]")
_CANDIDATES = ("cp1252", "latin-1", "mac-roman", "cp850", "cp437")


def normal_name(encoding: str) -> str:
    """One spelling per encoding: utf-8, utf-16-le, utf-16-be, cp1252, latin-1, ...

    Raises:
        LookupError: Python does not know the name.
    """
    name = codecs.lookup(encoding).name
    return {"iso8859-1": "latin-1", "utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(name, name)


def find_encoding(source: Source, head: bytes, declared: str | None) -> tuple[str, int]:
    """Encoding and length of the byte-order mark.

    Args:
        source: The file, for messages.
        head: Its first bytes.
        declared: What the spec says, or None.

    Raises:
        FileError: ENCODING, naming the likely encoding.
    """
    mark = next(((name, len(bom)) for bom, name in _MARKS if head.startswith(bom)), None)
    if mark is not None and mark[0].startswith("utf-32"):
        raise source.error("ENCODING", "is UTF-32", "save it as UTF-8")
    wanted = _declared(source, declared)
    if mark is not None:
        if wanted not in (None, mark[0]) and not (wanted or "").startswith(mark[0][:6]):
            raise source.error(
                "ENCODING",
                f"declared as {wanted}, but its first bytes are the mark of {mark[0]}",
                f"set 'encoding: {mark[0]}' in the center's spec, or leave it out",
            )
        return mark
    wide = _looks_wide(head)
    if wide and wanted != wide:
        raise source.error(
            "ENCODING",
            f"every second byte is NUL: this is {wide} without a byte-order mark",
            f"set 'encoding: {wide}' in the center's spec, or export as UTF-8",
        )
    return wanted or "utf-8", 0


def _declared(source: Source, declared: str | None) -> str | None:
    if declared is None:
        return None
    try:
        return normal_name(declared)
    except LookupError:
        raise source.error(
            "ENCODING", f"declared encoding '{declared}' is not known", "use utf-8 or cp1252"
        ) from None


def _looks_wide(head: bytes) -> str | None:
    sample = head[:4096]
    if len(sample) < 4:
        return None
    pairs = len(sample) // 2
    if sample[1::2].count(0) > 0.8 * pairs and sample[::2].count(0) < 0.1 * pairs:
        return "utf-16-le"
    if sample[::2].count(0) > 0.8 * pairs and sample[1::2].count(0) < 0.1 * pairs:
        return "utf-16-be"
    return None


def likely_encoding(data: bytes) -> str:
    """The single-byte encoding under which the non-ASCII bytes are most often letters of our languages."""
    odd = bytes(byte for byte in data if byte >= 0x80)[:10_000]

    def score(name: str) -> float:
        text = odd.decode(name, "replace")
        return len(_LIKELY.findall(text)) - 2.0 * text.count("�")

    return max(_CANDIDATES, key=score)


def decoding_error(source: Source, encoding: str, data: bytes, line: int) -> Exception:
    """The FileError for bytes that `encoding` cannot decode; `line` is the physical line."""
    if encoding != "utf-8":
        return source.error(
            "ENCODING",
            f"declared as {encoding}, but line {line} holds bytes that it does not know",
            "find out how the center exports, and correct 'encoding' in its spec",
            row=line,
        )
    likely = likely_encoding(data)
    return source.error(
        "ENCODING",
        f"is not UTF-8 (line {line}); the bytes look like {likely}",
        f"if the center confirms it, set 'encoding: {likely}' in its spec, or export as UTF-8",
        row=line,
    )


def utf8_error(source: Source, encoding: str) -> Exception:
    """The FileError for a file declared as single-byte that is in truth UTF-8."""
    return source.error(
        "ENCODING",
        f"declared as {encoding}, but it is UTF-8: read as declared, every umlaut would be two wrong letters",
        "set 'encoding: utf-8' in the center's spec",
    )
