"""Numbers whose quantity or unit stands in the row: one meaning per distinct pair of the two."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from transforms.harmonize.values.units import find_conversion, find_quantity

PAIR = "p:"
_IN_PAIR, _BEFORE_TEXT = "\x1f", "\x1e"
_NO_UNIT_NEEDED = ("1", "%")


class Pairs:
    """The pairs of quantity and unit of one number column.

    Args:
        quantity: Text of the quantity per row (a test as written, or a literal).
        unit: Text of the unit per row.
        understood: From the quantity as written to its name in `quantities.csv`.
    """

    def __init__(
        self, quantity: pl.Expr, unit: pl.Expr, understood: Callable[[str], str | None]
    ) -> None:
        self.key = pl.concat_str(
            quantity.fill_null(""), unit.str.strip_chars().fill_null(""), separator=_IN_PAIR
        )
        self._understood = understood
        self._known: dict[str, tuple[str | None, str | None, tuple[str, str] | None]] = {}
        self._factors: dict[str, float | None] = {}

    def learn(self, pairs: Sequence[str]) -> None:
        """Works out the distinct pairs of a batch."""
        for pair in pairs:
            if pair not in self._factors:
                quantity, unit, problem = self.meaning(pair)
                self._factors[pair] = None if problem else factor_of(quantity, unit)

    def meaning(self, pair: str) -> tuple[str | None, str | None, tuple[str, str] | None]:
        """Quantity, unit, and (rule id, note) if a unit is needed and the row names none."""
        if pair not in self._known:
            written, _, unit = pair.partition(_IN_PAIR)
            quantity = self._understood(written) if written else None
            known = find_quantity(quantity)
            problem = None
            if not unit and known is not None and known.canonical_unit not in _NO_UNIT_NEEDED:
                note = f"the unit is missing; it is kept in {known.canonical_unit}"
                problem = (known.rule_id or "STR-06", note)
            self._known[pair] = (quantity, unit or None, problem)
        return self._known[pair]

    def scale(self, number: pl.Expr, pair: pl.Expr) -> pl.Expr:
        """The number in its canonical unit; null where the unit is missing or not known."""
        factors = set(self._factors.values())
        if factors <= {1.0}:
            return number
        factor = self._replaced(pair, list(self._factors.values()), pl.Float64())
        if factors <= {1.0, None}:
            return pl.when(factor.is_not_null()).then(number)
        rounded = (number * factor).round_sig_figs(12)
        return pl.when(factor == 1).then(number).otherwise(rounded)

    def unit(self, pair: pl.Expr) -> pl.Expr:
        """The unit as reported."""
        return self._replaced(pair, [self.meaning(p)[1] for p in self._factors], pl.String())

    def _replaced(self, pair: pl.Expr, new: Sequence[object], dtype: pl.DataType) -> pl.Expr:
        old = pl.Series(list(self._factors), dtype=pl.String)
        return pair.replace_strict(
            old, pl.Series(list(new), dtype=dtype), default=None, return_dtype=dtype
        )

    def with_text(self, pair: pl.Expr, text: pl.Expr) -> pl.Expr:
        """The key of a cell: its pair and its text."""
        return pl.concat_str(pair, text, separator=_BEFORE_TEXT)

    def join(self, pair: str, text: str) -> str:
        """The same for one cell."""
        return pair + _BEFORE_TEXT + text

    def split(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Texts by pair."""
        found: dict[str, list[str]] = {}
        for key in keys:
            pair, _, text = key.partition(_BEFORE_TEXT)
            found.setdefault(pair, []).append(text)
        return found


def factor_of(quantity: str | None, unit: str | None) -> float | None:
    """What a number is multiplied by; None if the unit is not known for the quantity."""
    if quantity is None or unit is None or find_quantity(quantity) is None:
        return 1.0
    conversion = find_conversion(quantity, unit)
    return None if conversion is None else float(conversion.factor)


def scaled(number: pl.Expr, factor: float) -> pl.Expr:
    """The number in the canonical unit, rounded as `values.units` does."""
    return number if factor == 1 else (number * factor).round_sig_figs(12)
