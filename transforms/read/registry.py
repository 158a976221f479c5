"""Kinds of files as plugins: a kind is one module that calls `register`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from transforms.read.source import Source
from transforms.read.tables import ReadOptions, TableReader

Opener = Callable[[Source, ReadOptions], list[TableReader]]
Sniffer = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its name in specs, its suffixes, a look at the first bytes, and its opener."""

    name: str
    suffixes: tuple[str, ...]
    sniff: Sniffer
    opener: Opener


_KINDS: dict[str, Kind] = {}


def register(kind: str, suffixes: tuple[str, ...], sniff: Sniffer, opener: Opener) -> None:
    """Adds a kind of file, or replaces the one of that name.

    Args:
        kind: Name, as `kind` in a spec.
        suffixes: With the dot, in lower case.
        sniff: Whether the first 64 kB of a file can be of this kind.
        opener: Gives the readers of a source.
    """
    _KINDS[kind] = Kind(kind, suffixes, sniff, opener)


def kinds() -> tuple[Kind, ...]:
    """All known kinds."""
    return tuple(_KINDS.values())


def kind_of(source: Source, options: ReadOptions) -> Kind:
    """The kind that the spec declares or the suffix says, if the first bytes agree.

    Raises:
        FileError: WRONG_TYPE, with what the file seems to be.
    """
    suffix = PurePath(source.name).suffix.lower()
    if options.kind is not None and suffix != ".zip":  # in a zip it is the kind of the members
        kind = _KINDS.get(options.kind)
        if kind is None:
            raise source.error(
                "WRONG_TYPE",
                f"kind '{options.kind}' is not known",
                f"use one of {', '.join(_KINDS)}",
            )
    else:
        kind = next((k for k in _KINDS.values() if suffix in k.suffixes), None)
        if kind is None:
            raise source.error(
                "WRONG_TYPE",
                f"files named '*{suffix}' are not read",
                "send CSV, Excel, SPSS, SAS, Stata, Parquet or JSON lines; "
                "or declare 'kind' in the center's spec",
            )
    head = source.head()
    if not kind.sniff(head):
        seems = look_of(head)
        raise source.error(
            "WRONG_TYPE",
            f"is read as {kind.name}, but its first bytes are those of {seems}",
            f"send a real {kind.name} file; renaming does not convert it",
        )
    return kind


_LOOKS = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive or a workbook (.xlsx, .ods)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office file or a workbook with a password"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"(\xb5/\xfd", "a zstd archive"),
    (b"PAR1", "Parquet"),
    (b"$FL", "SPSS"),
    (b"HEADER RECORD*******", "SAS transport"),
    (b"<stata_dta>", "Stata"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "an RTF document"),
)


def look_of(head: bytes) -> str:
    """What the first bytes look like, for messages."""
    for magic, name in _LOOKS:
        if head.startswith(magic):
            return name
    start = head[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<head", b"<body", b"<meta")):
        return "a web page (an HTML table saved under another name)"
    if start.startswith(b"<?xml"):
        return "an XML document"
    if not start:
        return "an empty file"
    if b"\0" in head[:1000]:
        return "a binary file"
    return "text"


def looks_like_text(head: bytes) -> bool:
    """Whether the bytes can be a text table: no known binary kind, no markup."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return look_of(head) in {"text", "an empty file", "a binary file"}
