"""How a column of a canonical table is declared: pandera fields that carry label, unit and codelist.

Kinds and what they expand to in a canonical frame:

=========  ==================  ====================================================================
kind       Polars type         companion columns
=========  ==================  ====================================================================
text       String              none
code       String              none; values of the named codelist (`schemas/codelists.csv`)
flag       String              none; codelist `yesno` (Y, N, U)
integer    Int32               none
number     Float64             `<name>_comparator` (<, <=, >, >=, ~ or null), `<name>_unit` (as reported)
date       Date                `<name>_precision` (day, month, year): a partial date holds the first
                               day it could be
=========  ==================  ====================================================================
"""

from __future__ import annotations

from typing import Any

import pandera.polars as pa


def _field(
    kind: str,
    label: str,
    *,
    required: bool = False,
    unit: str | None = None,
    codelist: str | None = None,
    source: str | None = None,
    private: bool = False,
    **checks: Any,
) -> Any:
    metadata = {
        "kind": kind,
        "label": label,
        "unit": unit,
        "codelist": codelist,
        "source": source,
        "required": required,
        "private": private,
    }
    return pa.Field(nullable=True, metadata=metadata, **checks)


def text(
    label: str, *, required: bool = False, source: str | None = None, private: bool = False
) -> Any:
    """A column of text; a private one is judged and never published."""
    return _field("text", label, required=required, source=source, private=private)


def code(label: str, codelist: str, *, required: bool = False, source: str | None = None) -> Any:
    """A column of codes of one codelist."""
    return _field("code", label, required=required, codelist=codelist, source=source)


def flag(label: str, *, required: bool = False, source: str | None = None) -> Any:
    """Y, N or U (asked and not known); null where nobody asked."""
    return _field("flag", label, required=required, codelist="yesno", source=source)


def integer(
    label: str,
    *,
    ge: int | None = None,
    le: int | None = None,
    unit: str | None = None,
    required: bool = False,
    source: str | None = None,
) -> Any:
    """A column of whole numbers, with the range that is possible at all."""
    return _field("integer", label, required=required, unit=unit, source=source, **_range(ge, le))


def number(
    label: str,
    unit: str | None,
    *,
    ge: float | None = None,
    le: float | None = None,
    required: bool = False,
    source: str | None = None,
) -> Any:
    """A measured number in `unit`; comparator and reported unit travel beside it."""
    return _field("number", label, required=required, unit=unit, source=source, **_range(ge, le))


def date(label: str, *, required: bool = False, source: str | None = None) -> Any:
    """A date that may be partial; its precision travels beside it."""
    return _field("date", label, required=required, source=source)


def _range(ge: float | None, le: float | None) -> dict[str, Any]:
    return {name: bound for name, bound in (("ge", ge), ("le", le)) if bound is not None}
