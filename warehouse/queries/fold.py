"""The state of every query, folded from the log of its events."""

from __future__ import annotations

import polars as pl

from schemas.query_frames import ANSWERED, CANDIDATE, ENDED, OPEN, QUERY, QUERY_EVENT

_ABOUT = (
    "center_id", "patient_id", "rule_id", "table", "instance", "field", "severity", "fingerprint",
    "involved",
)  # fmt: skip
_ANSWER = ("corrected_value", "comment", "answered_by", "answered_on")


def fold(events: pl.DataFrame) -> pl.DataFrame:
    """QUERY from QUERY_EVENT: one row per query, in order of creation.

    What a query is about is what the last event that names it says; its answer is the last one,
    unless the query was asked again since.
    """
    if events.is_empty():
        return pl.DataFrame(schema=QUERY)
    told, event = pl.col("answer").is_not_null(), pl.col("event")
    folded = (
        events.select(QUERY_EVENT.names())
        .sort("part", "position")
        .group_by("query_id", maintain_order=True)
        .agg(
            *(pl.col(name).drop_nulls().last() for name in _ABOUT if name != "involved"),
            pl.col("involved").filter(pl.col("involved").is_not_null()).last(),
            pl.col("to_state").last().alias("state"),
            pl.col("resolution").last(),
            pl.col("at").first().alias("created_at"),
            pl.col("at").filter(event == "released").first().alias("released_at"),
            pl.col("at").filter(event == "sent").first().alias("sent_at"),
            pl.col("at").filter(told).last().alias("answered_at"),
            pl.col("at").last().alias("ended_at"),
            (event == "reopened").sum().cast(pl.Int32).alias("n_reopened"),
            pl.col("answer").filter(told).last(),
            *(pl.col(name).filter(told).last() for name in _ANSWER),
        )
    )
    state = pl.col("state")
    asked_again = state.is_in([CANDIDATE, OPEN])
    return folded.with_columns(
        pl.when(state.is_in(ENDED)).then("ended_at").alias("ended_at"),
        *(pl.when(~asked_again).then(name).alias(name) for name in ("answer", *_ANSWER)),
    ).select(QUERY.names())


def live(queries: pl.DataFrame) -> pl.DataFrame:
    """Those that are not settled: candidate, open or answered."""
    return queries.filter(pl.col("state").is_in([CANDIDATE, OPEN, ANSWERED]))
