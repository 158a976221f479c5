"""Lines of therapy from regimen cells: `Tec -> Tal` is two lines, and later ones move up."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from transforms.harmonize.batch import ISSUE
from transforms.harmonize.verdicts import Line

SHIFT = pl.Schema({"patient_id": pl.String(), "after": pl.Int32(), "extra": pl.Int32()})


@dataclass
class Lines:
    """Treatment lines after splitting.

    Attributes:
        frame, raw, issues: As in `MappedBatch`.
        steps: Place of each row among the lines of its cell; `line_number` is still the cell's.
        shifts: SHIFT; lines of the patient with a number above `after` move up by `extra`.
        idle: `patient_id`, `line_number` of the cells that say that there was no therapy.
        split: Rows added per source id.
        dropped: Rows per source id that say that there was no therapy.
    """

    frame: pl.DataFrame
    raw: pl.DataFrame
    issues: pl.DataFrame
    steps: pl.Series
    shifts: pl.DataFrame
    idle: pl.DataFrame
    split: dict[int, int]
    dropped: dict[int, int]


def split_lines(
    frame: pl.DataFrame,
    raw: pl.DataFrame,
    issues: pl.DataFrame,
    cells: pl.Series,
    known: list[tuple[Line, ...]],
) -> Lines:
    """One row per line of therapy; `untreated.close_gaps` numbers them anew.

    Args:
        frame: Canonical frame of `treatment_line` with one row per regimen cell.
        raw: Texts as read.
        issues: ISSUE of the frame.
        cells: For each row the position of its lines in `known`; null if not understood.
        known: Lines by position; no lines at a position mean that there was no therapy.
    """
    used = cells.unique().drop_nulls().to_list()
    table = pl.DataFrame(
        [
            (position, part, len(known[position]), line.drugs, line.text, *line[2:])
            for position in used
            for part, line in enumerate(known[position])
        ],
        schema={
            "_cell": pl.Int32,
            "_part": pl.Int32,
            "_of": pl.Int32,
            "_drugs": pl.String,
            "_text": pl.String,
            "_start": pl.Date,
            "_precision": pl.String,
        },
        orient="row",
    )
    none = [position for position in used if not known[position]]
    numbered = frame.with_columns(cells.cast(pl.Int32).alias("_cell")).with_row_index("_index")
    idle = numbered.filter(pl.col("_cell").is_in(none))
    kept = numbered.filter(~pl.col("_cell").is_in(none).fill_null(False))
    full = kept.join(table, on="_cell", how="left", maintain_order="left")
    part = pl.col("_part").fill_null(0)
    of = pl.col("_of").fill_null(1)
    later, earlier = part > 0, part < of - 1
    full = full.with_columns(
        drugs=pl.col("_drugs"),
        regimen_text=pl.col("_text"),
        row_id=pl.col("row_id") + part,
        start_date=pl.when(later).then(pl.col("_start")).otherwise(pl.col("start_date")),
        start_date_precision=pl.when(later)
        .then(pl.col("_precision"))
        .otherwise(pl.col("start_date_precision")),
        end_date=pl.when(~earlier).then(pl.col("end_date")),
        end_date_precision=pl.when(~earlier).then(pl.col("end_date_precision")),
    )
    shifts = (
        full.filter((part == 0) & (of > 1))
        .select("patient_id", after="line_number", extra=of - 1)
        .cast({"after": pl.Int32, "extra": pl.Int32})
    )
    index = full["_index"]
    first = (
        full.with_row_index("_new")
        .filter(part == 0)
        .select("_index", pl.col("_new").alias("index"))
    )
    reindexed = (
        issues.rename({"index": "_index"})
        .join(first, on="_index", how="inner", maintain_order="left")
        .select(list(ISSUE))
    )
    return Lines(
        full.select(frame.columns),
        raw[index],
        reindexed,
        full.select(part.cast(pl.Int32)).to_series(),
        shifts,
        idle.select("patient_id", "line_number"),
        _counts(full.filter(part > 0)),
        _counts(idle),
    )


def _counts(rows: pl.DataFrame) -> dict[int, int]:
    return dict(rows["source_id"].value_counts().iter_rows())


def moved_up(frame: pl.DataFrame, shifts: pl.DataFrame) -> pl.Series:
    """`line_number` of each row, moved by the lines that were split, or were without therapy, before it."""
    if shifts.height == 0:
        return frame["line_number"]
    numbered = frame.select("patient_id", "line_number").with_row_index("_row")
    extra = (
        numbered.join(shifts, on="patient_id", how="inner")
        .filter(pl.col("line_number") > pl.col("after"))
        .group_by("_row")
        .agg(pl.col("extra").sum())
    )
    joined = numbered.join(extra, on="_row", how="left", maintain_order="left")
    return joined.select(
        (pl.col("line_number") + pl.col("extra").fill_null(0)).cast(pl.Int32).alias("line_number")
    ).to_series()
