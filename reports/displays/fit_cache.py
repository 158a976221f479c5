"""Fits that several displays ask for: made once, as long as rows and terms are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

if TYPE_CHECKING:
    from reports.stats.hazards.fit import CoxFit

Result = TypeVar("Result")


@dataclass
class FitCache:
    """Cox fits by what was asked, and what was computed of each."""

    _fits: dict[Any, list[tuple[pl.DataFrame, CoxFit]]] = field(default_factory=dict)
    _of_fit: dict[tuple[int, str], Any] = field(default_factory=dict)

    def fit(self, asked: Any, rows: pl.DataFrame, make: Callable[[], CoxFit]) -> CoxFit:
        """The fit of these rows: one made before, if the same was asked of equal rows.

        Args:
            asked: Terms, levels, strata and all else that the fit rests on beside its rows; hashable.
            rows: The columns that the fit reads.
            make: Fits.
        """
        known = self._fits.setdefault(asked, [])
        for earlier, fit in known:
            if earlier.equals(rows):
                return fit
        fit = make()
        known.append((rows, fit))
        return fit

    def once(self, fit: CoxFit, what: str, make: Callable[[CoxFit], Result]) -> Result:
        """What is computed of a fit that `fit` gave, under its name."""
        key = (id(fit), what)
        if key not in self._of_fit:
            # The fit is kept beside, so that its id stays its own.
            self._of_fit[key] = (fit, make(fit))
        result: Result = self._of_fit[key][1]
        return result
