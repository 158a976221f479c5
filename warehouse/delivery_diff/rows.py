"""The rows of one table in many deliveries, valid and held, as one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from schemas.catalog import Table
from schemas.staging import IDENTITY, SOURCE
from warehouse.delivery_diff.pairs import Sides

PARTS = ("core", "quarantine")
MOST_BYTES = 100_000_000  # of Parquet at a time
_PLACED = ("row_id", "source_id", "source_row", "map_id")


def batches(sides: Sequence[Sides], table: Table) -> Iterator[list[Sides]]:
    """The centers, as many at a time as a table's rows of both sides take little memory."""
    some: list[Sides] = []
    size = 0
    for one in sides:
        folders = {*one.before, *one.after}
        own = sum(path.stat().st_size for f in folders for path in _files(f, table))
        if some and size + own > MOST_BYTES:
            yield some
            some, size = [], 0
        some.append(one)
        size += own
    yield some


def read_rows(sides: Sequence[Sides], table: Table, *, after: bool) -> pl.DataFrame:
    """All rows of a side: identity, the table's columns, precision and comparator.

    Of a center that adds to what it sent, a row stands for the earlier ones of its key, and the very
    same row (same `row_id`) stands once.
    """
    single, frames = [], []
    for one in sides:
        folders = one.after if after else one.before
        if len(folders) == 1:
            single += _files(folders[0], table)
        else:
            frames.append(_latest([_read(_files(f, table), table) for f in folders], table))
    # One chunk: rows are gathered by position many times.
    return pl.concat([_read(single, table), *frames]).rechunk()


def columns_of(table: Table) -> list[str]:
    """The columns that are compared, with what belongs to their value; the reported unit does not."""
    return [n for n in table.frame_schema if n not in IDENTITY and not n.endswith("_unit")]


def _files(folder: Path, table: Table) -> list[Path]:
    paths = (folder / part / f"{table.name}.parquet" for part in PARTS)
    return [path for path in paths if path.is_file()]


def _read(files: Iterable[Path], table: Table) -> pl.DataFrame:
    files = list(files)
    wanted = ["center_id", "patient_id", *_PLACED, *columns_of(table)]
    texts = pl.col("center_id", "patient_id").cast(pl.String)
    if not files:
        return pl.DataFrame(schema=table.frame_schema).select(wanted).with_columns(texts)
    try:
        rows = pl.scan_parquet(
            files,
            glob=False,
            schema=table.frame_schema,
            missing_columns="insert",
            extra_columns="ignore",
        )
        return rows.select(wanted).with_columns(texts).collect()
    except pl.exceptions.PolarsError:  # staged by another version: a column had another type
        return pl.concat([_cast(pl.read_parquet(f, glob=False), wanted, table) for f in files])


def _cast(rows: pl.DataFrame, wanted: Sequence[str], table: Table) -> pl.DataFrame:
    types = {name: table.frame_schema[name] for name in wanted}
    types |= {"center_id": pl.String(), "patient_id": pl.String()}
    return rows.select(
        pl.col(name).cast(kind, strict=False)
        if name in rows.columns
        else pl.lit(None, kind).alias(name)
        for name, kind in types.items()
    )


def _latest(frames: Sequence[pl.DataFrame], table: Table) -> pl.DataFrame:
    """The state after several deliveries that add to each other."""
    rows = pl.concat([f.with_columns(number=pl.lit(n)) for n, f in enumerate(frames)])
    newest = pl.col("number").max()
    kept = pl.col("number") == newest.over("row_id")
    if table.key:
        kept &= pl.col("number") == newest.over(table.key)
    return rows.filter(kept).drop("number")


def places(sides: Sequence[Sides]) -> pl.DataFrame:
    """center_id, source_id, place: sources of the newest deliveries as queries on files name them."""
    frames = [
        pl.read_parquet(one.after[-1] / "source.parquet", glob=False).select(
            pl.lit(one.center_id).alias("center_id"),
            "source_id",
            pl.format("source={}", "name").alias("place"),
        )
        for one in sides
    ]
    empty = {"center_id": pl.String(), "source_id": SOURCE["source_id"], "place": pl.String()}
    return pl.concat([pl.DataFrame(schema=empty), *frames])
