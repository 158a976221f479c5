"""Where every row went, as LEDGER lines."""

from __future__ import annotations

from collections import Counter

import polars as pl

from schemas.staging import LEDGER


class Ledger:
    """Counts rows by step, source, table, outcome and reason."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, int, str | None, str, str | None]] = Counter()

    def add(
        self,
        step: str,
        source_id: int,
        table: str | None,
        outcome: str,
        n: int,
        reason: str | None = None,
    ) -> None:
        """Adds rows; nothing for zero, except that `in` and `out` always have a line."""
        if n or outcome in ("in", "out"):
            self.counts[step, source_id, table, outcome, reason] += n

    def frame(self) -> pl.DataFrame:
        """LEDGER lines, in the order of first counting."""
        rows = [(*key, n) for key, n in self.counts.items()]
        return pl.DataFrame(rows, schema=LEDGER, orient="row")
