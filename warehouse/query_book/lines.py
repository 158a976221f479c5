"""The lines of a workbook of queries: one per fact that the center is asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.catalog import load_catalog
from schemas.queries import BOOK_WORDS, Words
from schemas.query_frames import ANSWERED, OPEN
from schemas.rules import SEVERITIES
from warehouse.packet_texts import with_texts
from warehouse.query_book.cells import LISTED, labels, listed
from warehouse.query_book.columns import ANSWER_WORDS, CODES
from warehouse.query_book.records import records

IDENTITY = ["center_id", "patient_id", "rule_id", "table", "instance", "field"]
# Beside the columns of the sheet; the first two in codes, not in words.
FURTHER = pl.Schema(
    {
        "state": pl.String(),  # open or answered
        "severity_code": pl.String(),
        "rules": pl.List(pl.Struct({"rule_id": pl.String(), "title": pl.String()})),
    }
)
SCHEMA = pl.Schema(
    {
        **{code: pl.Int64() if code == "days_open" else pl.String() for code in CODES},
        "answered_on": pl.Date(),
        **FURTHER,
    }
)


def lines(
    queries: pl.DataFrame,
    facts: pl.DataFrame,
    fact_fields: pl.DataFrame,
    rules: Sequence[Mapping[str, Any]],
    language: str | None,
    *,
    on: dt.date,
) -> pl.DataFrame:
    """The lines of open and answered queries, `SCHEMA`, sorted by patient, file and row.

    Queries of a patient about the same cells share a line, with their ids joined by a blank; the worst
    severity and the oldest age are told. A query that no delivery tells now has a line without cells.

    Args:
        queries: QUERY of one center; those that are neither open nor answered are left out.
        facts: FACT, and `message` of the finding (null: the rule's sentence).
        fact_fields: FINDING_FIELD with `fact`, the row of `facts`.
        rules: Rule entries (`warehouse.rules.declared_rules`).
        language: Of the center.
        on: The day of the workbook, to which days are counted.
    """
    words, catalog = Words(language, further=BOOK_WORDS), load_catalog()
    asked = queries.filter(pl.col("state").is_in([OPEN, ANSWERED]))
    if asked.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    told = facts.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("fact"), *IDENTITY, "message"
    ).join(asked.select("center_id").unique(), on="center_id", how="semi")
    asked = asked.join(told, on=IDENTITY, how="left", nulls_equal=True, maintain_order="left")
    cells = fact_fields.drop("center_id", strict=False).join(
        asked.select("fact", "query_id").drop_nulls(), on="fact", maintain_order="left"
    )
    first = cells.group_by("query_id", maintain_order=True).agg(
        pl.col("table").first().alias("about_table"),
        pl.col("column").first().alias("about_column"),
        pl.col("row").first().alias("first_row"),
    )
    asked = (
        asked.join(first, on="query_id", how="left", maintain_order="left")
        .join(listed(cells, catalog, words), on="query_id", how="left", maintain_order="left")
        .join(records(asked, catalog, words), on=["table", "instance"], how="left")
        .join(
            labels(catalog, words).rename({"column": "field"}).drop("kind"),
            on=["table", "field"],
            how="left",
        )
        .sort("patient_id", "file", "first_row", "query_id", nulls_last=True)
    )
    return _grouped(with_texts(asked, rules, words), words, on)


def _grouped(asked: pl.DataFrame, words: Words, on: dt.date) -> pl.DataFrame:
    """One line per patient, state and set of cells."""
    since = pl.coalesce("released_at", "created_at").dt.date()
    expected = pl.concat_str(
        pl.when("possible").then(pl.lit(words("Possibly not met") + ": ")).otherwise(pl.lit("")),
        "title",
        pl.lit(". "),
        "told",
    ).str.strip_chars_end()
    severity = pl.col("severity").cast(pl.Enum(SEVERITIES))
    asked = asked.with_columns(
        pl.coalesce("place", "query_id").alias("place"),
        expected.alias("expected"),
        (pl.lit(on) - since).dt.total_days().clip(0).alias("days"),
        severity.alias("severity"),
        pl.coalesce("field_name", "label", "field").alias("field"),
    )
    by = ["state", "patient_id", "place"]
    first = ("record", "field", *LISTED[1:], "answer", "corrected_value", "comment")
    grouped = asked.group_by(by, maintain_order=True).agg(
        pl.col("query_id").unique(maintain_order=True).str.join(" "),
        *(pl.col(name).first() for name in first),
        _told_once("expected"),
        _told_once("ask").alias("question"),
        pl.col("severity").min().cast(pl.String).alias("severity_code"),
        pl.col("days").max().alias("days_open"),
        pl.col("answered_by").first(),
        pl.col("answered_on").first(),
        pl.struct("rule_id", "title").unique(maintain_order=True).alias("rules"),
    )
    named = {code: words(text) for code, text in ANSWER_WORDS.items()}
    return grouped.with_columns(
        pl.col("patient_id").alias("patient"),
        pl.col("severity_code")
        .replace({word: words(word) for word in SEVERITIES})
        .alias("severity"),
        pl.col("answer").replace(named),
    ).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _told_once(column: str) -> pl.Expr:
    return pl.col(column).drop_nulls().unique(maintain_order=True).str.join("\n")
