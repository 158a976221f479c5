"""One writer per center; `WRITERS` maps the center's id to its module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.exports import ch01, de01, de02, de03, de04, de05, de06, de07, es01, us01, us02, us03
from demo.grid import Export
from demo.model import Patient


@dataclass(frozen=True)
class Writer:
    """How a center's export is built and written."""

    build: Callable[[Sequence[Patient], int], Export]
    write: Callable[[Export, Path], None]


WRITERS: dict[str, Writer] = {
    "DE01": Writer(de01.build, de01.write),
    "DE02": Writer(de02.build, de02.write),
    "DE03": Writer(de03.build, de03.write),
    "DE04": Writer(de04.build, de04.write),
    "DE05": Writer(de05.build, de05.write),
    "DE06": Writer(de06.build, de06.write),
    "DE07": Writer(de07.build, de07.write),
    "US01": Writer(us01.build, us01.write),
    "US02": Writer(us02.build, us02.write),
    "US03": Writer(us03.build, us03.write),
    "ES01": Writer(es01.build, es01.write),
    "CH01": Writer(ch01.build, ch01.write),
}
