"""Which row after is which row before: first what did not change, then by key, then by nearly the key."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from schemas.catalog import Table
from warehouse.delivery_diff.rows import columns_of

_WHO = ("center_id", "patient_id")
_INDEX = {"b": pl.UInt32(), "a": pl.UInt32()}


@dataclass(frozen=True, slots=True)
class Pairing:
    """Positions of rows in the frames before (`b`) and after (`a`).

    `same`: pairs of rows that may differ; rows that are alike are in none of the frames. `moved`: pairs
    of `removed` and `added` rows that agree in everything but the patient's id.
    """

    same: pl.DataFrame
    removed: pl.DataFrame
    added: pl.DataFrame
    moved: pl.DataFrame


def pair_rows(before: pl.DataFrame, after: pl.DataFrame, table: Table) -> Pairing:
    """Pairs the rows of a table, inside each center and patient."""
    left, right = _unlike(before, after, table)
    if left.is_empty() or right.is_empty():
        none = pl.DataFrame(schema=_INDEX)
        return Pairing(none, left.select("b"), right.select("a"), none)
    ranked = [_numbered(side, table) for side in (left, right)]
    by_key = ranked[0].join(
        ranked[1], on=[*_WHO, *table.instance, "n"], nulls_equal=True, how="inner"
    )
    found = [by_key.select("b", "a")]
    for column in _dates_first(table):
        left = left.join(found[-1], on="b", how="anti")
        right = right.join(found[-1], on="a", how="anti")
        if left.is_empty() or right.is_empty():
            break
        rest = [*_WHO, *(name for name in table.instance if name != column)]
        found.append(_unique(left, rest).join(_unique(right, rest), on=rest, nulls_equal=True))
        found[-1] = found[-1].select("b", "a")
    same = pl.concat(found, rechunk=True)
    left = left.join(same, on="b", how="anti")
    right = right.join(same, on="a", how="anti")
    moved = pl.DataFrame(schema=_INDEX)
    if left.height and right.height:
        content = ["center_id", "content"]
        moved = _unique(left, content).join(_unique(right, content), on=content).select("b", "a")
    return Pairing(same, left.select("b"), right.select("a"), moved)


def _unlike(
    before: pl.DataFrame, after: pl.DataFrame, table: Table
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of both sides without those that stand alike on the other, as often as they do."""
    sides = []
    for frame, index in ((before, "b"), (after, "a")):
        rows = frame.select(
            *_WHO,
            *table.instance,
            pl.struct(columns_of(table)).hash().alias("content"),
            "source_id",
            "source_row",
        ).with_row_index(index)
        sides.append(rows)
    by = [*_WHO, "content"]
    copies = [side.filter(pl.struct(by).is_duplicated()).select(by) for side in sides]
    if any(c.height for c in copies):  # rare, and costs as much as all the rest
        sides = [s.with_columns(copy=pl.int_range(pl.len()).over(by)) for s in sides]
        by = [*by, "copy"]
    left, right = sides
    return left.join(right, on=by, how="anti"), right.join(left, on=by, how="anti")


def _numbered(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Rows of one key count from 0 in the order in which they stand."""
    by = [*_WHO, *table.instance]
    return rows.sort("source_id", "source_row").select(
        *by, pl.int_range(pl.len()).over(by).alias("n"), pl.first()
    )


def _dates_first(table: Table) -> list[str]:
    """The columns of the key, dates first: they are what is corrected most."""
    return sorted(table.instance, key=lambda name: table.column(name).kind != "date")


def _unique(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return rows.filter(pl.len().over(by) == 1)
