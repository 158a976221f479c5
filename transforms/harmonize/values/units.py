"""Units of measured quantities: spellings, canonical unit and factor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import MappingProxyType

from transforms.harmonize.values.common import read_csv
from transforms.harmonize.values.match import fold, match_key

_SUPERSCRIPTS = re.compile("[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+")
_PER_DAY = re.compile(
    r"/(?:24[.\-]?(?:h|hr|hrs|hours?|std|stunden|horas|heures)?|d|day|tag|die|dia|jour|j)$"
)
_POWER = re.compile(r"10(?:\^|\*\*|\*|e\+?|exp)(?=\d)")
_LITER = re.compile(r"(?<=[dmun/])(?:liters?|litres?|ltr|litros?|lit)$")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured quantity: its canonical unit, and the rule of a value that is not understood."""

    name: str
    canonical_unit: str
    rule_id: str | None


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a reported unit becomes the canonical unit: multiply by `factor`."""

    quantity: str
    unit: str
    canonical_unit: str
    factor: Decimal

    def apply(self, number: Decimal) -> float:
        """The number in the canonical unit, to 12 significant digits where it is not exact."""
        product = number * self.factor
        return float(product) if self.factor == 1 else float(f"{product:.12g}")


@cache
def load_quantities() -> Mapping[str, Quantity]:
    """Quantity or alias (canonical column, `lab_test` code, as match key) → quantity."""
    found: dict[str, Quantity] = {}
    for row in read_csv("quantities"):
        quantity = Quantity(row["quantity"], row["canonical_unit"], row["rule_id"] or None)
        for name in (row["quantity"], *row["aliases"].split("|")):
            found[match_key(name)] = quantity
    return MappingProxyType(found)


def unit_key(spelling: str) -> str:
    """The match key of a unit: case, blanks, micro signs, powers and `/day` are unified."""
    text = _SUPERSCRIPTS.sub(lambda m: "^" + fold(m[0]), spelling)
    text = fold(text).replace("\u03bc", "u").replace("mcg", "ug").replace("mcmol", "umol")
    text = re.sub(r"\s*([/^*])\s*", r"\1", text).strip(" .,;")
    text = re.sub(r"^[([](.*)[)\]]$", r"\1", text)
    text = text.replace("(24.h)", "24h").replace(" pro ", "/").replace(" per ", "/")
    text = re.sub(r"^(?:x|\*)\s*(?=10|e\d)", "", text)
    text = _LITER.sub("l", _POWER.sub("10^", text).replace("/100ml", "/dl"))
    return _PER_DAY.sub("/24h", re.sub(r"/24\s+", "/24", text))


@cache
def _factors() -> Mapping[tuple[str, str], Decimal]:
    table: dict[tuple[str, str], Decimal] = {}
    for row in read_csv("units"):
        over, _, under = row["factor"].partition("/")
        factor = Decimal(over) / Decimal(under) if under else Decimal(over)
        table[row["quantity"], unit_key(row["spelling"])] = factor
    return MappingProxyType(table)


def find_quantity(name: str | None) -> Quantity | None:
    """The quantity of that name or alias, or None."""
    return load_quantities().get(match_key(name)) if name else None


def find_conversion(quantity: str, unit: str) -> Conversion | None:
    """How to convert a reported unit of a quantity, or None if the unit is not known for it.

    Args:
        quantity: Name of `quantities.csv`, a canonical column or a `lab_test` code.
        unit: As written by the center.
    """
    known = find_quantity(quantity)
    if known is None:
        return None
    key = unit_key(unit)
    factor = _factors().get((known.name, key))
    if factor is None and key == unit_key(known.canonical_unit):
        factor = Decimal(1)
    return None if factor is None else Conversion(known.name, unit, known.canonical_unit, factor)


@cache
def known_units() -> frozenset[str]:
    """Keys of every unit of every quantity."""
    return frozenset(key for _, key in _factors())
