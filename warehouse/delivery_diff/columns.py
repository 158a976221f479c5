"""Columns that a center delivers newly, or no longer: told once, and their values are not compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.catalog import Catalog
from warehouse.delivery_diff.pairs import Sides

# change: added, removed. `source_column`: the headers, joined by ' | '.
COLUMN_CHANGE = pl.Schema(
    {
        "center_id": pl.String(),
        "table": pl.String(),
        "column": pl.String(),
        "change": pl.String(),
        "source_column": pl.String(),
    }
)
HEADER = pl.Schema(
    {
        "center_id": pl.String(),
        "map_id": pl.Int32(),
        "table": pl.String(),
        "column": pl.String(),
        "source_column": pl.String(),
    }
)


def headers(sides: Sequence[Sides], *, after: bool) -> pl.DataFrame:
    """HEADER: from which headers each canonical column of a center came."""
    files = {
        str(folder / "column_map.parquet"): one.center_id
        for one in sides
        for folder in (one.after if after else one.before)
    }
    names = ["map_id", "table", "column", "source_column"]
    mapped = pl.scan_parquet(list(files), glob=False, include_file_paths="file")
    center = pl.col("file").replace_strict(files, return_dtype=pl.String).alias("center_id")
    return mapped.select(center, *names).unique().collect()


def column_changes(before: pl.DataFrame, after: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """COLUMN_CHANGE from the headers of both sides; only columns that the catalog declares."""
    by = ["center_id", "table", "column"]
    known = pl.DataFrame(
        [(t.name, c.name) for t in catalog.tables.values() for c in t.columns],
        {"table": pl.String(), "column": pl.String()},
        orient="row",
    )
    frames = []
    for one, other, change in ((after, before, "added"), (before, after, "removed")):
        frames.append(
            one.join(other, on=by, how="anti")
            .join(known, on=["table", "column"], how="semi")
            .group_by(by)
            .agg(pl.col("source_column").drop_nulls().unique().sort().str.join(" | "))
            .with_columns(change=pl.lit(change))
            .select(COLUMN_CHANGE.names())
        )
    return pl.concat(frames, rechunk=True)


def apart(
    changes: pl.DataFrame, table: str, before: pl.DataFrame, after: pl.DataFrame
) -> Mapping[str, list[str]]:
    """Column → centers of which only one side delivers it.

    A column that no header holds but has values (a constant, a position) is delivered all the same.
    """
    out: dict[str, list[str]] = {}
    own = changes.filter(pl.col("table") == table)
    for center, column, change in own.select("center_id", "column", "change").iter_rows():
        other = before if change == "added" else after
        if column not in other.columns:
            continue
        if other.filter(pl.col("center_id") == center)[column].null_count() == (
            other.select((pl.col("center_id") == center).sum()).item()
        ):
            out.setdefault(column, []).append(center)
    return out
