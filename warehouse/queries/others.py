"""Which record of another table a finding looked at: found again by the cell that the finding names."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.catalog import Catalog
from warehouse.loads import StagedDelivery
from warehouse.queries.instances import instance_expr
from warehouse.queries.records import row_files

_CELL = ["file", "sheet", "row", "source_column"]
_FOUND = pl.Schema({"cell": pl.UInt32(), "other": pl.String()})


def with_other_records(
    fields: pl.DataFrame, deliveries: Sequence[tuple[int, StagedDelivery]], catalog: Catalog
) -> pl.DataFrame:
    """The fields with `other`: the instance of the record that holds a cell of another table.

    Null for cells of the finding's own table, and where the cell leads to no record of the patient or came
    from a joined sheet.

    Args:
        fields: FINDING_FIELD with `delivery_key`, `patient_id` and `about`, the table of the finding.
        deliveries: Each with its number.
        catalog: Canonical tables.
    """
    cells = fields.with_row_index("cell")
    there = pl.col("row").is_not_null() & pl.col("column").is_not_null()
    elsewhere = cells.filter(pl.col("table") != pl.col("about"), there)
    parts = dict(list(elsewhere.group_by("delivery_key", "table")))
    joined: list[pl.LazyFrame] = []
    for number, staged in deliveries:
        tables = [table for table in catalog.tables.values() if (number, table.name) in parts]
        if not tables:
            continue
        ways = _ways(staged)
        for table in tables:
            asked = parts[number, table.name].select("cell", "patient_id", "column", *_CELL)
            own = ways.filter(pl.col("table") == table.name).drop("table")
            asked = asked.join(own, on=["column", *_CELL[:2], _CELL[3]], nulls_equal=True)
            for path in row_files(staged, table.name):
                rows = pl.scan_parquet(path, glob=False).select(
                    pl.col("patient_id").cast(pl.String),
                    "source_id",
                    pl.col("source_row").alias("row"),
                    "map_id",
                    instance_expr(table).alias("other"),
                )
                by = ["patient_id", "source_id", "row", "map_id"]
                joined.append(asked.lazy().join(rows, on=by).select(_FOUND.names()))
    # At once: most files are small, and each query alone would cost more than its work.
    frames = [pl.DataFrame(schema=_FOUND), *pl.collect_all(joined)]
    found = pl.concat(frames).unique("cell", keep="first")
    return cells.join(found, on="cell", how="left", maintain_order="left").drop("cell")


def _ways(staged: StagedDelivery) -> pl.DataFrame:
    """table, column, file, sheet, source_column to source_id and map_id of the rows that hold the cell."""
    ways = pl.read_parquet(staged.folder / "column_map.parquet", glob=False)
    sources = pl.read_parquet(
        staged.folder / "source.parquet", columns=["source_id", "file", "sheet"], glob=False
    )
    own = ways.filter(pl.col("slot") == 1)
    return own.select("table", "map_id", "column", "source_column", "source_id").join(
        sources, on="source_id"
    )
