"""Running values inside each line, on a frame sorted by line.

The rows of a line stand together, so a look at earlier rows is a shift, valid where the line already
had so many rows. That is several times cheaper than a window per line, of which there are very many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl


def with_places(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds `row` (0, 1, ...), `place` (rows before it in its line) and `left` (rows after it)."""
    changed = pl.col("line") != pl.col("line").shift(1)
    frame = frame.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64)).with_columns(
        is_first=changed.fill_null(True), is_last=changed.shift(-1).fill_null(True)
    )
    return frame.with_columns(
        place=pl.col("row") - pl.when("is_first").then("row").forward_fill(),
        left=pl.when("is_last").then("row").backward_fill() - pl.col("row"),
    ).drop("is_first", "is_last")


def earlier(value: pl.Expr, rows: int = 1) -> pl.Expr:
    """The value so many rows before; null where the line had none."""
    return pl.when(pl.col("place") >= rows).then(value.shift(rows))


def last_known(value: pl.Expr) -> pl.Expr:
    """The last value of the line that is not null, the row's own included."""
    where = pl.when(value.is_not_null()).then("row").forward_fill()
    return pl.when(pl.col("row") - where <= pl.col("place")).then(value.forward_fill())


def next_known(value: pl.Expr, wanted: pl.Expr) -> pl.Expr:
    """The value of the next row of the line where `wanted` (`value` is not null there)."""
    where = pl.when(wanted).then("row").shift(-1).backward_fill()
    found = pl.when(wanted).then(value).shift(-1).backward_fill()
    return pl.when(where - pl.col("row") <= pl.col("left")).then(found)


def accumulate(
    frame: pl.DataFrame, columns: Sequence[str], extreme: Callable[..., pl.Expr]
) -> pl.DataFrame:
    """Each column becomes the extreme of its line's values up to the row; nulls do not count.

    Windows double: after n steps a row has seen 2 to the power of n rows.

    Args:
        frame: with `place`.
        columns: replaced.
        extreme: `pl.min_horizontal` or `pl.max_horizontal`.
    """
    longest = frame["place"].max() if frame.height else 0
    step = 1
    while isinstance(longest, int) and step <= longest:
        frame = frame.with_columns(
            extreme(pl.col(name), earlier(pl.col(name), step)).alias(name) for name in columns
        )
        step *= 2
    return frame
