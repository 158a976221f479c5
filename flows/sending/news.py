"""Which centers have something new since their last packet; frames of the log in, sets of ids out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from schemas.query_frames import ANSWERED, OPEN

# The center is asked, or asked again.
_ASKS = ("released", "reopened", "not_corrected", "changed_still_failing", "record_changed")
# An answer has led to something, good or bad.
_SETTLED = ("confirmed", "closed", "resolved", "withdrawn", "cancelled", "not_corrected")


def unsent(events: pl.DataFrame, queries: pl.DataFrame) -> pl.DataFrame:
    """Open queries that changed since they last stood in a packet, or never stood in one.

    Args:
        events: QUERY_EVENT, in the order in which they happened.
        queries: QUERY.

    Returns:
        `query_id`, `center_id`.
    """
    numbered = events.select("query_id", "event").with_row_index("order")
    last = numbered.group_by("query_id").agg(
        pl.col("order").filter(pl.col("event").is_in(_ASKS)).max().alias("asked"),
        pl.col("order").filter(pl.col("event") == "sent").max().alias("sent"),
    )
    is_new = pl.col("sent").is_null() | (pl.col("asked") > pl.col("sent")).fill_null(value=False)
    return (
        queries.filter(pl.col("state") == OPEN)
        .join(last, on="query_id", how="left", maintain_order="left")
        .filter(is_new)
        .select("query_id", "center_id")
    )


def centers_with_news(
    events: pl.DataFrame, queries: pl.DataFrame, last_part: Callable[[str], int]
) -> list[str]:
    """Centers that should get a packet, sorted.

    Something is new if a query is open that never stood in a packet, or changed or was reopened since;
    if an answer led to something; or if queries are marked as sent and their packet was not written.

    Args:
        events: QUERY_EVENT.
        queries: QUERY.
        last_part: the part of the log up to which the last packet of a center tells, 0 without one.
    """
    found = set(unsent(events, queries)["center_id"].drop_nulls())
    centers = pl.DataFrame({"center_id": queries["center_id"].drop_nulls().unique()})
    told = centers.with_columns(
        pl.col("center_id").map_elements(last_part, return_dtype=pl.Int64).alias("told")
    )
    later = (
        events.select("query_id", "part", "event", "from_state", "actor")
        .join(queries.select("query_id", "center_id"), on="query_id")
        .join(told, on="center_id")
        .filter(pl.col("part") > pl.col("told"))
    )
    not_written = later.filter(pl.col("event") == "sent")
    answered = (pl.col("from_state") == ANSWERED) | (pl.col("actor") == "center")
    led = later.filter((pl.col("told") > 0) & pl.col("event").is_in(_SETTLED) & answered)
    return sorted(found | set(not_written["center_id"]) | set(led["center_id"]))


def outdated(events: pl.DataFrame, queries: pl.DataFrame, told: Mapping[str, int]) -> set[str]:
    """Centers about whose queries something happened since a packet.

    Args:
        events: QUERY_EVENT.
        queries: QUERY.
        told: center → the part of the log up to which its packet tells.
    """
    packets = pl.DataFrame(
        {"center_id": list(told), "told": list(told.values())},
        {"center_id": pl.String, "told": pl.Int64},
    )
    later = (
        events.filter(pl.col("event") != "sent")
        .select("query_id", "part")
        .join(queries.select("query_id", "center_id"), on="query_id")
        .join(packets, on="center_id")
        .filter(pl.col("part") > pl.col("told"))
    )
    return set(later["center_id"])
