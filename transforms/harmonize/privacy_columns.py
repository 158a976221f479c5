"""A column in which a cell identifies a person: no text of it is kept."""

from __future__ import annotations

import polars as pl

# Text that is kept of a column, by the column on which its cells' findings stand; codes read from it stay.
_TEXT_OF = {"drugs": "regimen_text"}


def without_stopped_texts(frame: pl.DataFrame, issues: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table without the texts of columns that have a PRV-01 issue.

    Args:
        frame: Canonical rows.
        issues: ISSUE rows of them.
    """
    if issues.is_empty():
        return frame
    found = issues.filter(pl.col("rule_id") == "PRV-01")["column"].unique().to_list()
    texts = [_TEXT_OF[name] for name in found if name in _TEXT_OF]
    none = [pl.lit(None, frame.schema[name]).alias(name) for name in texts if name in frame.columns]
    return frame.with_columns(none) if none else frame
