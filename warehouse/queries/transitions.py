"""What people do with queries: release, send, answer, close, reopen. Pure: queries in, events and problems out.

An event changes nothing by itself; `QueryLog.append` makes it count. A query that is not in a state
in which the step is possible is left as it is, and told as a problem; problems hold ids of queries
and states, never values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from schemas.query_frames import (
    ANSWER,
    ANSWERED,
    ANSWERS,
    CANDIDATE,
    CLOSED,
    ENDED,
    OPEN,
    QUERY_EVENT,
)

DATA_MANAGER, CENTER = "data manager", "center"
_SETTLES = {"correct": "confirmed_correct", "not_available": "not_available"}
_REASONS = {
    "corrected": "the center will correct it in its next delivery",
    "correct": "the center confirms the value; no question until it changes",
    "not_available": "the center cannot know it",
    "patient_withdrawn": "the center takes the patient out of its next delivery",
    "other": "the center has answered in words",
}
BY_HAND = ("confirmed_correct", "not_available", "duplicate")  # the others a load finds out
Outcome = tuple[pl.DataFrame, list[str]]


def release(queries: pl.DataFrame, ids: Sequence[str], at: dt.datetime) -> Outcome:
    """Candidates become open: the center is asked with the next packet."""
    chosen, problems = _in_states(queries, ids, (CANDIDATE,), "released")
    return made(chosen, "released", OPEN, at, DATA_MANAGER, "released"), problems


def send(queries: pl.DataFrame, ids: Sequence[str], at: dt.datetime) -> Outcome:
    """Open queries stand in a packet that was written for their center."""
    chosen, problems = _in_states(queries, ids, (OPEN,), "sent")
    return made(chosen, "sent", OPEN, at, DATA_MANAGER, "stands in a packet"), problems


def answer(queries: pl.DataFrame, answers: pl.DataFrame, at: dt.datetime) -> Outcome:
    """Answers of a center to open queries; a later answer replaces an earlier one.

    Args:
        queries: QUERY.
        answers: ANSWER, one row per query.
        at: Now.

    Returns:
        Events, and a problem for each answer that cannot be taken. An answer that is known already is
        neither.
    """
    answers = answers.select(ANSWER.names()).cast(ANSWER)
    told = answers.join(queries, on="query_id", how="left", suffix="_before")
    problems = [
        f"{query_id}: {problem}"
        for query_id, problem in told.select("query_id", _unanswerable()).drop_nulls().iter_rows()
    ]
    fits = told.filter(_unanswerable().is_null() & ~_known())
    what = pl.col("answer")
    settled = what.replace_strict(_SETTLES, default=None, return_dtype=pl.String)
    events = fits.with_columns(
        event=pl.when(what == "correct")
        .then(pl.lit("confirmed"))
        .when(settled.is_not_null())
        .then(pl.lit("closed"))
        .otherwise(pl.lit("answered")),
        to_state=pl.when(settled.is_not_null()).then(pl.lit(CLOSED)).otherwise(pl.lit(ANSWERED)),
        resolution=settled,
        reason=what.replace_strict(_REASONS, default=None, return_dtype=pl.String),
    )
    kept = ("query_id", "state", "event", "to_state", "resolution", "reason", *ANSWER.names()[1:])
    return as_events(events.select(kept), at, CENTER), problems


def close(
    queries: pl.DataFrame, ids: Sequence[str], resolution: str, reason: str, at: dt.datetime
) -> Outcome:
    """The data manager settles queries.

    `confirmed_correct` makes an exception, as the center's own answer does.

    Raises:
        ValueError: Not one of `BY_HAND`, or no reason.
    """
    if resolution not in BY_HAND:
        raise ValueError(f"a resolution is one of {', '.join(BY_HAND)}")
    if not reason.strip():
        raise ValueError("a query is closed with a reason")
    chosen, problems = _in_states(queries, ids, (CANDIDATE, OPEN, ANSWERED), "closed")
    event = "confirmed" if resolution == "confirmed_correct" else "closed"
    return made(chosen, event, CLOSED, at, DATA_MANAGER, reason.strip(), resolution), problems


def reopen(queries: pl.DataFrame, ids: Sequence[str], reason: str, at: dt.datetime) -> Outcome:
    """A closed query is asked again: it was closed in error, or the center takes its answer back.

    Raises:
        ValueError: No reason.
    """
    if not reason.strip():
        raise ValueError("a query is reopened with a reason")
    chosen, problems = _in_states(queries, ids, (CLOSED,), "reopened")
    return made(chosen, "reopened", OPEN, at, DATA_MANAGER, reason.strip()), problems


def made(
    queries: pl.DataFrame,
    event: str,
    to_state: str | pl.Expr,
    at: dt.datetime,
    actor: str,
    reason: str,
    resolution: str | None = None,
) -> pl.DataFrame:
    """QUERY_EVENT: the same event for each of the queries; further columns of it may be given."""
    state = pl.lit(to_state) if isinstance(to_state, str) else to_state
    told = {name for name in queries.columns if name in QUERY_EVENT} - {"resolution"}
    answer_columns = set(ANSWER.names()) - {"query_id"}
    about = [name for name in queries.columns if name in told - answer_columns - {"query_id"}]
    return as_events(
        queries.select(
            "query_id",
            "state",
            *about,
            pl.lit(event).alias("event"),
            state.alias("to_state"),
            pl.lit(resolution, dtype=pl.String).alias("resolution"),
            pl.lit(reason).alias("reason"),
        ),
        at,
        actor,
    )


def as_events(frame: pl.DataFrame, at: dt.datetime, actor: str) -> pl.DataFrame:
    """QUERY_EVENT from `query_id`, `state` (before), `event`, `to_state` and any further columns."""
    given = {"part", "position", "at", "actor", "from_state"}
    return frame.select(
        pl.lit(0, pl.Int64).alias("part"),
        pl.int_range(pl.len(), dtype=pl.Int32).alias("position"),
        pl.lit(at).cast(pl.Datetime("us", "UTC")).alias("at"),
        pl.lit(actor).alias("actor"),
        pl.col("state").alias("from_state"),
        *(
            pl.col(name) if name in frame.columns else pl.lit(None, kind).alias(name)
            for name, kind in QUERY_EVENT.items()
            if name not in given
        ),
    ).select(pl.col(name).cast(kind) for name, kind in QUERY_EVENT.items())


def _in_states(
    queries: pl.DataFrame, ids: Sequence[str], states: Sequence[str], done: str
) -> tuple[pl.DataFrame, list[str]]:
    """Those of the ids that are in one of the states, without what they are about; and problems."""
    asked = pl.DataFrame({"query_id": list(dict.fromkeys(ids))}, {"query_id": pl.String})
    found = asked.join(
        queries.select("query_id", "state"), on="query_id", how="left", maintain_order="left"
    )
    right = pl.col("state").is_in(states)
    problems = [
        f"{query_id}: there is no such query"
        if state is None
        else f"{query_id}: it is {state}; only what is {' or '.join(states)} can be {done}"
        for query_id, state in found.filter(~right.fill_null(value=False)).iter_rows()
    ]
    return found.filter(right), problems


def _unanswerable() -> pl.Expr:
    state = pl.col("state")
    return (
        pl.when(state.is_null())
        .then(pl.lit("there is no such query"))
        .when(~pl.col("answer").is_in(ANSWERS) | pl.col("answer").is_null())
        .then(pl.lit(f"an answer is one of {', '.join(ANSWERS)}"))
        .when(_known())
        .then(None)
        .when(state == CANDIDATE)
        .then(pl.lit("it was not sent to the center; release it first"))
        .when(state.is_in(ENDED))
        .then(pl.format("it is {} already; a new value comes with the next delivery", state))
        .alias("problem")
    )


def _known() -> pl.Expr:
    """The very same answer stands already: a workbook that came a second time."""
    same = [
        pl.col(name).eq_missing(pl.col(f"{name}_before"))
        for name in ("answer", "corrected_value", "comment")
    ]
    return pl.all_horizontal(*same) & pl.col("state").is_in([ANSWERED, *ENDED])
