"""What is added to the rows of a block: issues, numbers within the patient, progressions."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.harmonize.batch import NO_ISSUES
from transforms.harmonize.cells import ID, ROW
from transforms.harmonize.parse import ColumnParser, Lookup
from transforms.harmonize.texts import SRC
from transforms.harmonize.verdicts import Verdict

_AT = "_at"


def issues_of(
    work: pl.DataFrame, active: list[ColumnParser], lookups: Mapping[str, Lookup]
) -> pl.DataFrame:
    """ISSUE rows of all columns."""
    found = [
        _column_issues(work, parser, lookups[parser.name].bad)
        for parser in active
        if lookups[parser.name].bad
    ]
    return pl.concat(found) if found else NO_ISSUES


def _column_issues(
    work: pl.DataFrame, parser: ColumnParser, bad: list[tuple[str, Verdict]]
) -> pl.DataFrame:
    """ISSUE rows of the cells whose text has a finding."""
    text = pl.String()
    told = pl.DataFrame(
        {
            "key": pl.Series([key for key, _ in bad], dtype=text),
            "rule_id": pl.Series([verdict.rule_id for _, verdict in bad], dtype=text),
            "severity": pl.Series([verdict.severity for _, verdict in bad], dtype=text),
            "note": pl.Series([verdict.note for _, verdict in bad], dtype=text),
        }
    )
    cells = work.select(parser.key.alias("key")).with_row_index("index")
    cells = cells.filter(pl.col("key").is_in(told["key"].implode()))
    joined = cells.join(told, on="key", how="inner", maintain_order="left")
    return joined.select(
        "index", pl.lit(parser.name).alias("column"), "rule_id", "severity", "note"
    )


def sequence(texts: pl.DataFrame, dates: pl.Series) -> pl.Series:
    """1, 2, 3 ... within each patient by date (undated rows last), then by row."""
    numbered = texts.select(ID, SRC, ROW).with_columns(dates.alias("_day")).with_row_index(_AT)
    ordered = numbered.sort(ID, "_day", SRC, ROW, _AT, nulls_last=True)
    count = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(ID).alias("_n")
    return ordered.with_columns(count).sort(_AT)["_n"]
