"""The form in which a check tells what it found."""

from __future__ import annotations

import polars as pl

COLUMNS = ("display", "population", "row", "level", "statistic")
PLACE = ["display", "population"]
NEAR = 1e-9


def found(rows: pl.DataFrame, what: pl.Expr | str) -> pl.DataFrame:
    """The rows that contradict something, with a sentence; a key column that `rows` lacks is null."""
    sentence = pl.lit(what) if isinstance(what, str) else what
    return rows.select(
        *[
            (pl.col(name) if name in rows.columns else pl.lit(None)).cast(pl.String).alias(name)
            for name in COLUMNS
        ],
        sentence.alias("what"),
    )
