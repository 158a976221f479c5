"""Which records the deliveries in force hold, valid or held, and what values stand in some of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from schemas.catalog import Catalog
from schemas.query_frames import HELD_RECORD, RECORD
from warehouse.loads import StagedDelivery
from warehouse.queries.instances import instance_expr

PARTS = ("core", "quarantine")  # valid rows, held ones
Numbered = tuple[int, StagedDelivery]  # with its number in `quality.delivery`
VALUE = pl.Schema({**RECORD, "field": pl.String(), "value": pl.String()})


def records_of(
    deliveries: Iterable[Numbered],
    catalog: Catalog,
    wanted: pl.DataFrame,
    parts: Sequence[str] = PARTS,
) -> pl.DataFrame:
    """HELD_RECORD: rows, valid or held (`parts`), of the tables of `wanted` (center_id, table).

    Only those centers and tables are read. Each record once, with the newest delivery that holds it; of
    a table without a key once for every delivery, since all of them count.
    """
    pairs = set(wanted.select("center_id", "table").unique().drop_nulls().iter_rows())
    frames = [pl.DataFrame(schema=HELD_RECORD)]
    for number, staged in deliveries:
        for table in catalog.tables.values():
            if (staged.center_id, table.name) not in pairs:
                continue
            for path in row_files(staged, table.name, parts):
                rows = pl.read_parquet(
                    path, columns=["patient_id", *table.instance], glob=False
                ).unique()
                frames.append(
                    rows.select(
                        pl.lit(staged.center_id).alias("center_id"),
                        pl.col("patient_id").cast(pl.String),
                        pl.lit(table.name).alias("table"),
                        instance_expr(table).alias("instance"),
                        pl.lit(number, pl.Int32).alias("delivery_key"),
                    )
                )
    found = pl.concat(frames, rechunk=True).unique()
    if found.select(
        pl.struct("center_id", "delivery_key").n_unique() == pl.col("center_id").n_unique()
    ).item():
        return found
    keyed = pl.col("table").is_in([name for name, table in catalog.tables.items() if table.key])
    older = pl.col("delivery_key") < pl.col("delivery_key").max().over(RECORD.names())
    return found.filter(~(keyed & older))


def row_files(staged: StagedDelivery, table: str, parts: Sequence[str] = PARTS) -> list[Path]:
    """Files with rows of a table of a staged delivery: valid ones and held ones."""
    paths = (staged.folder / part / f"{table}.parquet" for part in parts)
    return [path for path in paths if path.is_file()]


def values_of(
    deliveries: Iterable[StagedDelivery], catalog: Catalog, wanted: pl.DataFrame
) -> pl.DataFrame:
    """VALUE: what stands now in a field of the records that `wanted` (RECORD and `field`) names.

    Values of several rows that agree in the record are joined; a date has its precision. Fields of other
    tables are left out.
    """
    by = ["center_id", "patient_id", "table", "instance", "field"]
    asked = dict(list(wanted.select(by).unique().group_by("center_id", "table", "field")))
    frames = [pl.DataFrame(schema=VALUE)]
    for staged in deliveries:
        for (center, name, field), part in asked.items():
            table = catalog.tables.get(str(name))
            if center != staged.center_id or table is None or field not in table.frame_schema:
                continue
            shown = [pl.col(str(field)).cast(pl.String)]
            if f"{field}_precision" in table.frame_schema:
                shown.append(pl.col(f"{field}_precision").cast(pl.String))
            for path in row_files(staged, table.name):
                rows = pl.scan_parquet(path, glob=False).select(
                    pl.lit(staged.center_id).alias("center_id"),
                    pl.col("patient_id").cast(pl.String),
                    pl.lit(table.name).alias("table"),
                    instance_expr(table).alias("instance"),
                    pl.lit(str(field)).alias("field"),
                    pl.concat_str(shown, separator=" ", ignore_nulls=True).alias("value"),
                )
                frames.append(rows.join(part.lazy(), on=by, how="semi").collect())
    return (
        pl.concat(frames, rechunk=True)
        .group_by(by)
        .agg(pl.col("value").sort().str.join("|"))
        .select(VALUE.names())
    )
