"""What mapping hands on: canonical rows with the text they came from, and what was not understood."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from schemas.staging import ADDRESS

FEW = 500  # rows: so small a frame is handled in plain Python; above, expressions cost less

ISSUE = pl.Schema(
    {
        "index": pl.UInt32(),  # row of the batch's frame
        "column": pl.String(),  # canonical column
        "rule_id": pl.String(),
        "severity": pl.String(),  # error: the value was not understood and is null; warning
        "note": pl.String(),  # for the center: what was expected; never the value
    }
)

# Findings that belong to no canonical row. Rows with the same `issue` are the fields of one finding.
FILE_ISSUE = pl.Schema(
    {
        "issue": pl.UInt32(),
        "position": pl.Int16(),
        "rule_id": pl.String(),
        "severity": pl.String(),
        "source_id": pl.Int32(),  # null: a file that no source reads
        "file": pl.String(),
        "sheet": pl.String(),
        "row": pl.Int32(),  # null: the whole column, sheet or file
        "source_column": pl.String(),
        "patient_id": pl.String(),
        "value": pl.String(),  # as read; stays in the vault
        "note": pl.String(),
    }
)


NO_ISSUES = pl.DataFrame(schema=ISSUE)
NO_ADDRESS = pl.DataFrame(schema=ADDRESS)


@dataclass(frozen=True)
class MappedBatch:
    """Canonical rows of one table.

    Attributes:
        table: Name of the canonical table.
        frame: Exactly the table's `frame_schema`; null where not mapped or not understood.
        raw: Same height and order; for each mapped canonical column the text as read.
        issues: ISSUE.
        address: ADDRESS of rows that were joined from several sources.
    """

    table: str
    frame: pl.DataFrame
    raw: pl.DataFrame
    issues: pl.DataFrame
    address: pl.DataFrame = field(default_factory=lambda: NO_ADDRESS)
