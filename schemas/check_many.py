"""Firsts, neighbours and places of frames of many rows, by whole numbers instead of sorts and joins.

The columns that connect the rows of a streaming table are small whole numbers: a patient's number, a
line, a day. Packed into one integer per row they sort and group several times faster than columns
side by side, and a key finds its place in a table as long as the range of the keys. Every function
returns None where the columns are no whole numbers, or too wide: then the caller sorts and joins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl

from schemas.rule_sql import LATEST, latest_day

# A table of places may be this many times as long as the frames that use it.
SPARSE = 4
# Below this number of rows one join with all context columns is cheaper than choosing among them.
SMALL = 20_000
_BITS = 62


@dataclass(frozen=True, slots=True)
class Packing:
    """How the values of some columns lie in one integer: lowest value and number of bits of each."""

    names: tuple[str, ...]
    lows: tuple[int, ...]
    bits: tuple[int, ...]

    @property
    def width(self) -> int:
        """Number of bits of the integer."""
        return sum(self.bits)

    def expr(self) -> pl.Expr:
        """The integer, in the order of the columns; null where one of them is null."""
        packed = pl.lit(0, dtype=pl.Int64())
        for name, low, bits in zip(self.names, self.lows, self.bits, strict=True):
            packed = packed * (1 << bits) + (_whole_number(name) - low)
        return packed


def packing(frames: Sequence[pl.DataFrame], names: Sequence[str], spare: int = 0) -> Packing | None:
    """A packing that holds the columns of all frames and leaves `spare` bits, or None."""
    lows, bits = [], []
    for name in names:
        columns = [frame[name] for frame in frames]
        if not all(c.dtype.is_integer() or c.dtype in (pl.Date, pl.Enum) for c in columns):
            return None
        values = [c.to_physical().cast(pl.Int64) for c in columns if c.null_count() < c.len()]
        low = min((cast("int", column.min()) for column in values), default=0)
        high = max((cast("int", column.max()) for column in values), default=0)
        lows.append(low)
        bits.append((high - low).bit_length())
    if sum(bits) + spare > _BITS:
        return None
    return Packing(tuple(names), tuple(lows), tuple(bits))


def firsts(frame: pl.DataFrame, by: Sequence[str], first: str) -> pl.Series | None:
    """Position of the row with the smallest `first` of each key; of equal ones the first that comes.

    Rows whose key or `first` is empty take no part.
    """
    place = frame.height.bit_length()
    keys = packing([frame], by, 1)
    order = packing([frame], [first], place)
    if keys is None or order is None:
        return None
    found = (
        frame.select(key=keys.expr(), order=order.expr() * (1 << place) + _position())
        .drop_nulls()
        .group_by("key")
        .agg(pl.col("order").min())
    )
    return (found["order"] % (1 << place)).sort()


def neighbours(
    frame: pl.DataFrame, within: Sequence[str], order: Sequence[str], shift: int
) -> tuple[pl.Series, pl.Series] | None:
    """Positions of the rows that take part, and of the row `shift` before each in its group, or null.

    Rows are in order of `order`, equal ones as they come; a row in which one of the columns is empty
    takes no part.
    """
    place = frame.height.bit_length()
    below = packing([frame], order, place)
    if below is None:
        return None
    groups = packing([frame], within, below.width + place)
    if groups is None:
        return None
    low = below.width + place
    packed = frame.select(
        groups.expr() * (1 << low) + below.expr() * (1 << place) + _position()
    ).to_series()
    packed = packed.drop_nulls().sort()
    here = (packed % (1 << place)).alias("here")
    return here, shifted(here, packed // (1 << low), shift)


def shifted(here: pl.Series, group: pl.Series, shift: int) -> pl.Series:
    """Of positions in order the one `shift` places before each, null where it is of another group."""
    return here.shift(shift).set(~group.eq_missing(group.shift(shift)), None)


def beside(
    frame: pl.DataFrame,
    where: pl.Expr | None,
    within: Sequence[str],
    order: Sequence[str],
    shift: int,
) -> pl.Series | None:
    """For each row of `frame` the position of its neighbour among the rows of `where`, or null."""
    some = frame.select(*within, *order)
    if where is None:
        found = neighbours(some, within, order, shift)
        return None if found is None else _spread(found[1], found[0], frame.height)
    rows = frame.select(where).to_series().arg_true()
    found = neighbours(some.select(pl.all().gather(rows)), within, order, shift)
    if found is None:
        return None
    here, near = found
    return _spread(rows.gather(near), rows.gather(here), frame.height)


def places(table: pl.DataFrame, frame: pl.DataFrame, key: Sequence[str]) -> pl.Series | None:
    """For each row of `frame` the position in `table` of its key (unique there), or null."""
    keys = packing([table, frame], key)
    if keys is None or (1 << keys.width) > SPARSE * (frame.height + table.height):
        return None
    at = table.select(key=keys.expr()).with_columns(place=_position()).drop_nulls()
    found = pl.repeat(None, 1 << keys.width, dtype=pl.UInt32(), eager=True)
    found = found.scatter(at["key"], at["place"].cast(pl.UInt32))
    return found.gather(frame.select(keys.expr()).to_series())


def both(one: pl.DataFrame, other: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Full join of two frames that have one row per key."""
    if one.height == other.height and one.select(key).equals(other.select(key)):
        return one.hstack(other.drop(key))
    if one.is_empty() or other.is_empty():
        return pl.concat([one, other], how="diagonal")
    return one.join(other, on=key, how="full", coalesce=True)


def many_in_order(
    frame: pl.DataFrame, group: Sequence[str], order: Sequence[str]
) -> tuple[pl.Series, pl.Series]:
    """`check_few.in_order` of more rows: positions in order, and the group of each."""
    changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in group)
    ordered = (
        frame.lazy()
        .select(*group, *order, "row_id", here=pl.int_range(pl.len(), dtype=pl.UInt32()))
        .drop_nulls([*group, *order])
        .sort(*group, *order, "row_id")
        .select("here", group=changed.cum_sum())
        .collect()
    )
    return ordered["here"], ordered["group"]


def latest_days(frame: pl.DataFrame, columns: Sequence[str]) -> list[pl.Expr]:
    """`<column>@latest` of each (partial) date; where all days are known they are the dates."""
    return [
        pl.col(column).alias(column + LATEST) if _to_the_day(frame, column) else latest_day(column)
        for column in columns
    ]


def _to_the_day(frame: pl.DataFrame, column: str) -> bool:
    """Whether no date is partial; not looked for in few rows, where that costs more than it saves."""
    return frame.height >= SMALL and not (frame[f"{column}_precision"] != "day").any()


def _spread(values: pl.Series, positions: pl.Series, height: int) -> pl.Series:
    """A column of that height with the values at their positions, null elsewhere."""
    column = pl.repeat(None, height, dtype=pl.UInt32(), eager=True)
    return column.scatter(positions, values.cast(pl.UInt32))


def _position() -> pl.Expr:
    return pl.int_range(pl.len(), dtype=pl.Int64())


def _whole_number(name: str) -> pl.Expr:
    return pl.col(name).to_physical().cast(pl.Int64)
