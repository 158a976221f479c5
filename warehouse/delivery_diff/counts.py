"""How many changes a delivery holds: counts only, kept for every delivery that was ever the newest."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from warehouse.paths import StudyPaths, private_folder, replace_durably

KEY = ["center_id", "delivery_id"]
COUNT = pl.Schema(
    {
        "center_id": pl.String(),
        "delivery_id": pl.String(),
        "table": pl.String(),
        "column": pl.String(),
        "level": pl.String(),
        "change": pl.String(),
        "asked": pl.Boolean(),
        "n": pl.Int64(),
    }
)
_BY = ["center_id", "table", "column", "level", "change", "asked"]
_WHO = ["center_id", "patient_id"]


def counted(diff: pl.DataFrame) -> pl.DataFrame:
    """COUNT without the delivery: rows of `diff`, and the patients and records that changed.

    A patient or record that changed is asked for if all its changes are.
    """
    values = diff.filter(pl.col("level") == "value")
    records = values.group_by(*_WHO, "table", "instance").agg(pl.col("asked").all())
    whole = diff.filter(pl.col("level") == "patient")
    patients = (
        diff.filter(pl.col("level").is_in(["value", "record"]))
        .join(whole, on=_WHO, how="anti")
        .group_by(_WHO)
        .agg(pl.col("asked").all())
    )
    nothing = pl.lit(None, pl.String)
    told = [diff.select(_BY)]
    for frame, level in ((records, "record"), (patients, "patient")):
        table = pl.col("table") if level == "record" else nothing
        told.append(
            frame.select(
                "center_id",
                table.alias("table"),
                nothing.alias("column"),
                pl.lit(level).alias("level"),
                pl.lit("changed").alias("change"),
                "asked",
            )
        )
    return pl.concat(told, rechunk=True).group_by(_BY).agg(n=pl.len().cast(pl.Int64))


def kept_with(study_folder: Path, fresh: pl.DataFrame, deliveries: pl.DataFrame) -> pl.DataFrame:
    """The counts of all deliveries: those kept in the vault, `fresh` ones in the place of older.

    Args:
        study_folder: The study, whose lock the caller holds.
        fresh: COUNT of the deliveries that were compared now.
        deliveries: `center_id`, `delivery_id` that were compared now, also those without a change.
    """
    path = StudyPaths(study_folder).vault / "delivery_changes.parquet"
    known = pl.read_parquet(path, glob=False) if path.is_file() else pl.DataFrame(schema=COUNT)
    rest = known.select(COUNT.names()).join(deliveries, on=KEY, how="anti")
    every = pl.concat([rest, fresh.select(COUNT.names())], rechunk=True).sort(COUNT.names())
    if not every.equals(known):
        _write(path, every)
    return every


def _write(path: Path, frame: pl.DataFrame) -> None:
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        frame.write_parquet(file)
    replace_durably(temporary, path)
