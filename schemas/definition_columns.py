"""Which analysis columns rest on a canonical variable, for centers that define it otherwise."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

DEFINITION_COLUMNS = Path(__file__).parent / "vocabularies" / "definition_columns.csv"


@dataclass(frozen=True, slots=True)
class DefinitionColumn:
    """A column of `analysis.adsl`, and where it rests on the variable (SQL; empty: always)."""

    column: str
    condition: str


@cache
def definition_columns() -> Mapping[str, tuple[DefinitionColumn, ...]]:
    """Canonical variable (`table.column`) → the columns of adsl that can be set to missing for it."""
    found: dict[str, list[DefinitionColumn]] = {}
    with DEFINITION_COLUMNS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            column = DefinitionColumn(row["column"], row["condition"])
            found.setdefault(row["variable"], []).append(column)
    return MappingProxyType({variable: tuple(columns) for variable, columns in found.items()})
