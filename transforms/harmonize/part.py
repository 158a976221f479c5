"""Canonical rows of one block, as the parser of the block hands them on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from transforms.harmonize.batch import ISSUE
from transforms.harmonize.verdicts import Line


@dataclass
class Part:
    """Canonical rows of one block: frame, raw, issues, address as in `MappedBatch`.

    `cells` holds the position of each row's lines of therapy in `lines`; None if each has one.
    `steps` holds the place of each row among the lines that its cell was split into; None if all are first.
    """

    frame: pl.DataFrame
    raw: pl.DataFrame
    issues: pl.DataFrame
    address: pl.DataFrame
    cells: pl.Series | None = None
    lines: list[tuple[Line, ...]] = field(default_factory=list)
    steps: pl.Series | None = None


def with_progressions(part: Part, progressed: pl.Series) -> Part:
    """A second row PROGRESSION for cells that tell a best response and then a progression."""
    which = progressed.fill_null(False).arg_true()
    if which.len() == 0:
        return part
    more = part.frame[which].with_columns(
        row_id=pl.col("row_id") + 1,
        kind=pl.lit("PROGRESSION", part.frame.schema["kind"]),
        category=pl.lit("PD", part.frame.schema["category"]),
        response_date=pl.lit(None, pl.Date),
        response_date_precision=pl.lit(None, part.frame.schema["response_date_precision"]),
    )
    frame = pl.concat([part.frame, more])
    # The date of the cell's row is that of the response.
    raw = part.raw[which].with_columns(
        pl.lit(None, pl.String).alias(name) for name in {"response_date"} & set(part.raw.columns)
    )
    return Part(frame, pl.concat([part.raw, raw]), part.issues, part.address)


def without_rows(part: Part, lost: pl.Series) -> tuple[Part, Mapping[int, int]]:
    """The part without the rows marked, and how many of them each source has."""
    if not lost.any():
        return part, {}
    at = pl.int_range(part.frame.height, dtype=pl.UInt32, eager=True)
    kept = at.filter(~lost)
    places = pl.DataFrame(
        {"index": kept, "_new": pl.int_range(kept.len(), dtype=pl.UInt32, eager=True)}
    )
    issues = part.issues.join(places, on="index", how="inner", maintain_order="left")
    gone = part.frame.filter(lost)
    rest = Part(
        part.frame[kept],
        part.raw[kept],
        issues.with_columns(index="_new").select(list(ISSUE)),
        part.address.filter(~pl.col("row_id").is_in(gone["row_id"].implode())),
    )
    return rest, dict(gone["source_id"].value_counts().iter_rows())
