"""XML of workbooks as a stream of events; a document type or an entity is refused at once."""

from __future__ import annotations

import xml.parsers.expat as expat
from collections.abc import Callable
from typing import Any, BinaryIO

from transforms.read.worker.problems import RefusedError, chunks

Start = Callable[[str, dict[str, str]], None]


class _Locals(dict[str, str]):
    """Name with namespace → local name."""

    def __missing__(self, name: str) -> str:
        self[name] = local = name.rpartition(" ")[2]
        return local


def parse(
    stream: BinaryIO | Any,
    start: Start,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Runs the handlers over a document; element names come without namespace.

    Raises:
        RefusedError: DTD for a document type, CORRUPT for what is not well-formed.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    local = _Locals()
    parser.StartElementHandler = lambda name, attributes: start(local[name], attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(local[name])
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        for piece in chunks(stream):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise RefusedError(
            "CORRUPT",
            f"its XML is broken (line {error.lineno})",
            "open it in Excel and save it again",
        ) from None


def _refuse(*_: Any) -> None:
    raise RefusedError(
        "DTD",
        "its XML declares a document type or entities, which workbooks never need",
        "open it in Excel and save it as a new workbook",
    )


def attribute(attributes: dict[str, str], name: str) -> str | None:
    """An attribute by local name, whatever its namespace."""
    if name in attributes:
        return attributes[name]
    return next((v for k, v in attributes.items() if k.rpartition(" ")[2] == name), None)
