"""The fields of findings: the cell that each stands in, the text read, and what was understood."""

from __future__ import annotations

from functools import cache

import polars as pl

from schemas.check_data import TableData, constant

FIELD = pl.Schema(
    {
        "hit": pl.UInt32(),
        "position": pl.Int16(),
        "table": pl.String(),
        "column": pl.String(),
        "row_id": pl.Int64(),
        "source_id": pl.Int32(),
        "source_row": pl.Int32(),
        "map_id": pl.Int32(),
        "value": pl.String(),
        "understood": pl.String(),
    }
)


FIELD_OF_FILE = ("table", "column", "file", "sheet", "row", "source_column", "value")


def own_field(
    data: TableData,
    rows: pl.DataFrame,
    positions: pl.Series,
    column: str,
    place: int | pl.Series | None = None,
) -> pl.DataFrame:
    """The field `column` of rows that stand at `positions` of the table, `FIELD`."""
    if column in data.raw.columns and positions.len() == rows.height:
        value = data.raw[column].gather(positions)
    elif column == "patient_id":
        value = rows["patient_id"]
    else:
        value = constant("value", None, rows.height)
    if not isinstance(place, pl.Series):
        place = pl.Series([place], dtype=FIELD["position"]).new_from_index(0, rows.height)
    address = [rows[name] for name in ("row_id", "source_id", "source_row", "map_id")]
    return pl.DataFrame(
        [
            rows["hit"],
            place.alias("position"),
            constant("table", data.name, rows.height),
            constant("column", column, rows.height),
            *address,
            value.alias("value"),
            understood(data, rows, column),
        ]
    )


def other_field(
    data: TableData, behind: pl.DataFrame, column: str, place: int | None = None
) -> pl.DataFrame:
    """The field `column` of other rows, named by `hit` and `row_id`."""
    rows = data.frame.with_row_index("index").join(behind, on="row_id", how="inner")
    return own_field(data, rows, rows["index"], column, place)


def understood(data: TableData, rows: pl.DataFrame, column: str) -> pl.Series:
    """The canonical value as text; a partial date as far as it is known."""
    if f"{column}_precision" not in data.frame.columns:
        return rows[column].cast(pl.String()).alias("understood")
    return rows.select(_known_part(column)).to_series()


@cache
def _known_part(column: str) -> pl.Expr:
    value, precision = pl.col(column), pl.col(f"{column}_precision")
    return (
        pl.when(precision == "year")
        .then(value.dt.strftime("%Y"))
        .when(precision == "month")
        .then(value.dt.strftime("%Y-%m"))
        .otherwise(value.dt.strftime("%Y-%m-%d"))
        .alias("understood")
    )


def repeated(placed: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    """Findings of one rule on the same cells as an earlier one.

    One cell of a file can feed several canonical rows; the center is asked about it once.
    """
    cell = pl.concat_str(
        *(pl.col(name).cast(pl.String()) for name in ("file", "row", "source_column")),
        separator="\0",
    ) + pl.col("sheet").fill_null("")
    cells = (
        placed.sort("hit", "position", maintain_order=True)
        .group_by("hit", maintain_order=True)
        .agg(cell.alias("cells"))
        .filter(~pl.col("cells").list.eval(pl.element().is_null()).list.any())
        .join(heads.select("hit", "rule_id", "severity"), on="hit")
    )
    return cells.filter(~pl.struct("rule_id", "severity", "cells").is_first_distinct())


def addresses(
    fields: pl.DataFrame, sources: pl.DataFrame, column_map: pl.DataFrame, address: pl.DataFrame
) -> pl.DataFrame:
    """File, sheet, row and source column of each field.

    A column that was joined from another sheet has its own slot, whose row is in `address`.
    """
    ways = column_map[["map_id", "table", "column", "slot", "source_column"]].unique(
        ["map_id", "table", "column"], keep="first", maintain_order=True
    )
    placed = fields.join(ways, on=["map_id", "table", "column"], how="left", maintain_order="left")
    if address.is_empty():
        placed = placed.with_columns(row="source_row")
    else:
        other = address.select(
            "row_id", "slot", other_source="source_id", other_row="source_row"
        ).unique(["row_id", "slot"], keep="first", maintain_order=True)
        placed = placed.join(
            other, on=["row_id", "slot"], how="left", maintain_order="left"
        ).with_columns(
            pl.coalesce("other_source", "source_id").alias("source_id"),
            pl.coalesce("other_row", "source_row").alias("row"),
        )
    placed = placed.join(sources[["source_id", "file", "sheet"]], on="source_id", how="left")
    return placed[["hit", "position", *FIELD_OF_FILE, "understood"]]
