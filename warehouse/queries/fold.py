"""The state of every query, folded from the log of its events."""

from __future__ import annotations

import polars as pl

from schemas.query_frames import ANSWERED, CANDIDATE, ENDED, OPEN, QUERY, QUERY_EVENT

_ABOUT = (
    "center_id", "patient_id", "rule_id", "table", "instance", "field", "severity", "fingerprint",
    "involved", "known",
)  # fmt: skip
_LISTS = ("involved", "known")
_ANSWER = ("corrected_value", "comment", "answered_by", "answered_on")


def fold(events: pl.DataFrame) -> pl.DataFrame:
    """QUERY from QUERY_EVENT: one row per query, in order of creation.

    What a query is about is what the last event that names it says; its answer is the last one,
    unless the query was asked again since.
    """
    if events.is_empty():
        return pl.DataFrame(schema=QUERY)
    event, asked_again = pl.col("event"), pl.col("to_state").is_in([CANDIDATE, OPEN])
    told = pl.col("answer").is_not_null()
    valid = pl.col("valid")  # an answer since which the center was not asked again
    later = asked_again.cast(pl.Int32).cum_sum(reverse=True).over("query_id")
    folded = (
        events.select(QUERY_EVENT.names())
        .sort("part", "position")
        .with_columns(valid=told & (later == 0))
        .group_by("query_id", maintain_order=True)
        .agg(
            *(pl.col(name).drop_nulls().last() for name in _ABOUT if name not in _LISTS),
            *(pl.col(name).filter(pl.col(name).is_not_null()).last() for name in _LISTS),
            pl.col("to_state").last().alias("state"),
            pl.col("resolution").last(),
            pl.col("at").first().alias("created_at"),
            pl.col("at").filter(event == "released").first().alias("released_at"),
            pl.col("at").filter(event == "sent").first().alias("sent_at"),
            pl.col("at").filter(told).last().alias("answered_at"),
            pl.col("at").last().alias("ended_at"),
            (event == "reopened").sum().cast(pl.Int32).alias("n_reopened"),
            *(pl.col(name).filter(valid).last() for name in ("answer", *_ANSWER)),
        )
    )
    ended = pl.when(pl.col("state").is_in(ENDED)).then("ended_at").alias("ended_at")
    return folded.with_columns(ended).select(QUERY.names())


def live(queries: pl.DataFrame) -> pl.DataFrame:
    """Those that are not settled: candidate, open or answered."""
    return queries.filter(pl.col("state").is_in([CANDIDATE, OPEN, ANSWERED]))
