"""Canonical rows of one block, as the parser of the block hands them on."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from transforms.harmonize.verdicts import Line


@dataclass
class Part:
    """Canonical rows of one block: frame, raw, issues, address as in `MappedBatch`.

    `cells` holds the position of each row's lines of therapy in `lines`; None if each has one.
    """

    frame: pl.DataFrame
    raw: pl.DataFrame
    issues: pl.DataFrame
    address: pl.DataFrame
    cells: pl.Series | None = None
    lines: list[tuple[Line, ...]] = field(default_factory=list)


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
