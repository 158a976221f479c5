"""Changes of what the results rest on that nobody asked about: facts of the rules DLV-01 to DLV-05."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from schemas.catalog import Catalog

DEAD = "DEAD"
UNASKED = pl.Schema(
    {
        "rule_id": pl.String(),
        "center_id": pl.String(),
        "patient_id": pl.String(),
        "table": pl.String(),
        "row_id": pl.Int64(),
        "column": pl.String(),
        "understood": pl.String(),
        "message": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A column that must not change unasked, and its rule."""

    rule_id: str
    table: str
    column: str


WATCHED = (
    Watched("DLV-01", "follow_up", "death_date"),
    Watched("DLV-02", "follow_up", "vital_status"),
    Watched("DLV-03", "relapse", "relapse_date"),
    Watched("DLV-04", "infusion", "infusion_date"),
    Watched("DLV-05", "treatment_line", "start_date"),
)


def unasked(diff: pl.DataFrame, subjects: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """UNASKED: one row per value of a row, or per patient and rule where records are gone.

    Args:
        diff: DIFF with `asked`.
        subjects: center_id, patient_id, row_id of the new deliveries: who is gone altogether is not
            asked about here (STR-12 tells missing patients).
        catalog: For the labels of codes.
    """
    open_ones = diff.filter(~pl.col("asked") & (pl.col("change") != "added"))
    frames = [pl.DataFrame(schema=UNASKED)]
    for watched in WATCHED:
        mine = open_ones.filter(pl.col("table") == watched.table)
        if mine.is_empty():
            continue
        labels = _labels(watched, catalog)
        frames.append(_changed(mine, watched, labels))
        frames.append(_gone(mine, watched, subjects, labels))
    return pl.concat(frames, rechunk=True)


def _labels(watched: Watched, catalog: Catalog) -> dict[str, str]:
    column = catalog.tables[watched.table].column(watched.column)
    return dict(catalog.codelists.get(column.codelist or "", {}))


def _changed(rows: pl.DataFrame, watched: Watched, labels: dict[str, str]) -> pl.DataFrame:
    before, after = pl.col("before"), pl.col("after")
    if watched.column == "vital_status":
        # A death is news; that the dead are alive, or that nobody knows any more, is not.
        contradicts = (before == DEAD) | after.is_null()
    else:
        contradicts = ~after.str.starts_with(before).fill_null(value=False)  # else: more exact now
    said = (
        pl.when(after.is_null())
        .then(
            pl.format("The delivery before said {}, this one says nothing.", before.replace(labels))
        )
        .otherwise(
            pl.format(
                "The delivery before said {}, this one says {}.",
                before.replace(labels),
                after.replace(labels),
            )
        )
    )
    chosen = rows.filter(
        (pl.col("level") == "value") & (pl.col("column") == watched.column) & contradicts
    )
    return chosen.select(
        pl.lit(watched.rule_id).alias("rule_id"),
        "center_id",
        "patient_id",
        "table",
        "row_id",
        "column",
        pl.coalesce("after", pl.format("none, was {}", before)).alias("understood"),
        said.alias("message"),
    )


def _gone(
    rows: pl.DataFrame, watched: Watched, subjects: pl.DataFrame, labels: dict[str, str]
) -> pl.DataFrame:
    """Records that held a value and are gone, of patients who are still there; told in their row."""
    value = pl.col("before").str.extract(rf"(?:^|; ){watched.column}=([^;]*)")
    record = pl.concat_str(
        pl.when(pl.col("instance") != "").then("instance"),
        value.replace(labels),
        separator=", ",
        ignore_nulls=True,
    )
    told = (
        rows.filter((pl.col("level") == "record") & value.is_not_null())
        .with_columns(record=record)
        .sort("record")
        .group_by("center_id", "patient_id")
        .agg(
            pl.col("record").str.join("; ").alias("understood"),
            pl.format("The delivery before held a record that is gone: {}.", "record")
            .str.join("; ")
            .alias("message"),
        )
    )
    by = ["center_id", "patient_id"]
    return told.join(subjects.unique(by, keep="first"), on=by).select(
        pl.lit(watched.rule_id).alias("rule_id"),
        *by,
        pl.lit("subject").alias("table"),
        "row_id",
        pl.lit("patient_id").alias("column"),
        pl.format("gone: {}", "understood").alias("understood"),
        "message",
    )
