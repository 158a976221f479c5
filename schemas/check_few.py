"""Joins and neighbours of frames of few rows, by dictionaries.

A delivery of a hundred patients asks for dozens of joins of a few rows; planning each would cost far
more than the work. Keys with an empty part never match, as in a join of frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

# Below this number of rows a dictionary in Python is cheaper than a join or a sort of a frame.
FEW = 500
Places = Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Lookup:
    """One row per key: where each key stands in `rest`, which holds the other columns."""

    key: tuple[str, ...]
    places: Mapping[tuple[Any, ...], int]
    rest: pl.DataFrame

    def find(self, frame: pl.DataFrame) -> list[int | None]:
        """For each row of a frame that has the key columns, where its key stands, if it does."""
        return [self.places.get(key) for key in keys_of(frame, self.key)]

    def frame(self, dtypes: Sequence[pl.DataType]) -> pl.DataFrame:
        """Key and other columns side by side; `dtypes` are those of the key."""
        return merged([self], dtypes)


def lookup(frame: pl.DataFrame, key: tuple[str, ...]) -> Lookup:
    """The frame by its key."""
    rest = frame[[name for name in frame.columns if name not in key]]
    places = {value: place for place, value in enumerate(keys_of(frame, key)) if None not in value}
    return Lookup(key, places, rest)


def keys_of(frame: pl.DataFrame, key: Sequence[str]) -> list[tuple[Any, ...]]:
    """The values of some columns, row by row."""
    return list(zip(*(frame[name].to_list() for name in key), strict=True))


def taken(frame: pl.DataFrame, places: Places) -> pl.DataFrame:
    """The rows at these places; a row of nulls where there is none."""
    return frame.gather(pl.Series(places, dtype=pl.UInt32()))


def first_places(
    base: pl.DataFrame, by: tuple[str, ...], first: str | None
) -> dict[tuple[Any, ...], int]:
    """Per key the place of one row: the one with the smallest `first`, else the first that comes."""
    order: Sequence[int] = range(base.height)
    if first is not None:
        values, ids = base[first].to_list(), base["row_id"].to_list()
        order = sorted(
            (place for place in order if values[place] is not None),
            key=lambda place: (values[place], ids[place]),
        )
    keys = keys_of(base, by)
    found: dict[tuple[Any, ...], int] = {}
    for place in order:
        if None not in keys[place]:
            found.setdefault(keys[place], place)
    return found


def merged(tables: Sequence[Lookup], dtypes: Sequence[pl.DataType]) -> pl.DataFrame:
    """Full join of frames that have one row per key; `dtypes` are those of the key."""
    keys = list(dict.fromkeys(value for table in tables for value in table.places))
    schema = dict(zip(tables[0].key, dtypes, strict=True))
    columns = pl.DataFrame(keys, schema=schema, orient="row").get_columns()
    for table in tables:
        places = [table.places.get(value) for value in keys]
        same = len(places) == table.rest.height and places == list(range(len(places)))
        columns += (table.rest if same else taken(table.rest, places)).get_columns()
    return pl.DataFrame(columns)


def in_order(
    frame: pl.DataFrame, group: Sequence[str], order: Sequence[str]
) -> tuple[pl.Series, pl.Series]:
    """Places of rows in order inside their group, and a number of the group of each.

    Rows whose group or order has an empty part take no part.
    """
    within, sorting = keys_of(frame, group), keys_of(frame, [*order, "row_id"])
    rows = [
        place
        for place in range(frame.height)
        if None not in within[place] and None not in sorting[place]
    ]
    rows.sort(key=lambda place: (within[place], sorting[place]))
    numbers: dict[tuple[Any, ...], int] = {}
    groups = [numbers.setdefault(within[place], len(numbers)) for place in rows]
    return pl.Series(rows, dtype=pl.UInt32()), pl.Series(groups, dtype=pl.UInt32())
