"""What a distinct value means, and the form in which values are written."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from transforms.harmonize import values as parsers


class Verdict(NamedTuple):
    """What one value means: canonical values (null if not understood) and the finding, if any."""

    values: tuple[Any, ...]
    severity: str | None = None  # error, warning, or None: nothing to report
    rule_id: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Form:
    """How the text of a column is written. Hashable: the key under which verdicts are shared."""

    parser: str
    codelist: str | None = None
    own: tuple[tuple[str, str | None], ...] = ()
    missing: tuple[str, ...] = ()
    pattern: str | None = None
    group: int = 1
    unmatched: str = "error"
    language: str | None = None
    dates: parsers.DateFormat | None = None
    numbers: parsers.NumberFormat | None = None
    precision: str | None = None
    may_identify: bool = False  # the spec allows cells that look as if they told a person
    quiet: bool = False  # another column of the same cell tells what was not understood


# Canonical values per parser: what stands in Verdict.values.
OUTPUTS: dict[str, tuple[pl.DataType, ...]] = {
    "date": (pl.Date(), pl.String(), pl.String()),  # date, precision, side
    "year": (pl.Int32(),),
    "integer": (pl.Int32(),),
    "ecog": (pl.Int32(),),
    "number": (pl.Float64(), pl.String(), pl.String(), pl.String()),  # comparator, unit, side
    "code": (pl.String(),),
    "lesion_category": (pl.String(),),
    "cytogenetics": (pl.String(),),
    "cytogenetic_share": (pl.Float64(),),
    "text": (pl.String(),),
    "response": (pl.String(), pl.String(), pl.Boolean()),  # code, as reported, progression
    # position in Reader.regimens; drugs and text where the cell holds one line
    "regimen": (pl.Int32(), pl.String(), pl.String()),
}


class Line(NamedTuple):
    """One line of therapy in a regimen cell."""

    drugs: str  # drug ids, sorted, joined by |
    text: str | None
    start: dt.date | None
    precision: str | None  # of the start
