"""What a load means for the queries: the facts that fail now against the queries so far. Pure.

fails now as before            stays (answered "corrected" and delivered anew: open again)
fails now by other values      changed_still_failing
fails no more, all known       resolved, data_corrected
its record is gone             resolved, record_withdrawn; if exactly one new record agrees with it in all
but the values asked about, or the only one in all but dates, that record is it, with a corrected key
settled and fails again        reopened; but a confirmed value stays confirmed until it changes
rule is no more                cancelled, rule_withdrawn
rule could not run, or a value
that it needs is not known     nothing: not judged
fails, and nobody asked        created
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from schemas.query_frames import (
    ANSWERED,
    CANDIDATE,
    CLOSED,
    ENDED,
    OPEN,
    QUERY_EVENT,
)
from warehouse.queries.facts import IDENTITY, key
from warehouse.queries.ids import query_id
from warehouse.queries.moves import follow
from warehouse.queries.settled import ABOUT, PATIENT_GONE, WAITING, as_told, settled
from warehouse.queries.standing import Standing
from warehouse.queries.transitions import as_events

ACTOR = "load"
OUTCOME = pl.Schema(
    {
        "query_id": pl.String(),
        "center_id": pl.String(),
        "rule_id": pl.String(),
        "outcome": pl.String(),
    }
)
_NOW = ("severity", "fingerprint", "involved", "known")  # what a query takes over from its fact


@dataclass(frozen=True, slots=True)
class Seen:
    """What a load saw.

    Attributes:
        facts: FACT.
        now: HELD_RECORD of this load's deliveries in force; only tables of queries whose fact does not fail.
        before: RECORD of the deliveries in force before.
        ran: center_id, rule_id, table, delivery_key, ran (Boolean).
        rules: Ids of the rules there are.
        fresh: Numbers of the deliveries that are new in this load.
        fresh_centers: Their centers.
        at_once: New queries need no release.
        key: For ids.
        lasting: Rules that ask about a change, which the next delivery does not show again.
        changed: Queries of such rules whose value has changed again.
        standing: What stands now of what the queries rested on.
    """

    facts: pl.DataFrame
    now: pl.DataFrame
    before: pl.DataFrame
    ran: pl.DataFrame
    rules: frozenset[str]
    fresh: frozenset[int]
    fresh_centers: frozenset[str]
    at_once: bool
    key: bytes
    lasting: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    standing: Standing = field(default_factory=Standing)


def reconcile(
    queries: pl.DataFrame, seen: Seen, at: dt.datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """QUERY_EVENT of the load, and OUTCOME: what it found of each query that it looked at."""
    facts, owned = seen.facts.with_columns(key()), _owners(queries.with_columns(key()))
    matched = owned.join(facts, on="key", suffix="_now")
    unmatched = owned.join(facts, on="key", how="anti")
    unasked = facts.join(owned, on="key", how="anti")
    lost, followed, moved = follow(unmatched, unasked, seen)
    unasked = unasked.join(followed, on="key", how="anti")
    each = ((_still_failing, matched), (_followed, followed), (settled, lost))
    parts = [tell(rows, seen) for tell, rows in each if rows.height]
    parts.append(_created(_not_moved(unasked, moved), queries, seen))
    told = pl.concat([part for part in parts if part.height] or [_EMPTY.to_frame()], how="diagonal")
    outcomes = told.select(OUTCOME.names()).unique("query_id", keep="first", maintain_order=True)
    events = told.filter(pl.col("event").is_not_null())
    return as_events(events, at, ACTOR), outcomes.filter(pl.col("outcome").is_not_null())


_EMPTY = pl.Schema(
    {
        **{n: QUERY_EVENT[n] for n in ("query_id", "event", "to_state", "resolution", "reason")},
        **{n: QUERY_EVENT[n] for n in ABOUT},
        "state": pl.String(),
        "outcome": pl.String(),
    }
)


def _owners(queries: pl.DataFrame) -> pl.DataFrame:
    """One query per identity: of several (one followed its record to where another was), the newest.

    A live one comes before those that have ended.
    """
    ended = pl.col("state").is_in(ENDED)
    return (
        queries.with_row_index("age")
        .sort(ended, "age", descending=[False, True])
        .unique("key", keep="first", maintain_order=True)
        .drop("age")
    )


def _still_failing(matched: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """Facts that fail now and have a query."""
    now = [pl.col(f"{name}_now").alias(name) for name in _NOW]
    own = ["query_id", "state", *IDENTITY]
    same = pl.col("fingerprint") == pl.col("fingerprint_now")
    live = pl.col("state").is_in([CANDIDATE, OPEN, ANSWERED])
    asked = pl.when(pl.col("state") == CANDIDATE).then(pl.lit(CANDIDATE)).otherwise(pl.lit(OPEN))
    again = _again(seen)
    delivered = pl.col("delivery_key").is_in(seen.fresh)
    unmet = (pl.col("state") == ANSWERED) & WAITING & delivered
    confirmed = (pl.col("state") == CLOSED) & (pl.col("resolution") == "confirmed_correct")
    kept = (pl.col("state") == CLOSED) & ~confirmed
    nothing = pl.lit(None, dtype=pl.String)

    def part(rows: pl.Expr, exprs: list[pl.Expr]) -> pl.DataFrame:
        return matched.filter(rows).select(*own, *now, *exprs)

    return pl.concat(
        [
            part(live & same & ~unmet, as_told(None, nothing, "still_failing", "")),
            part(
                live & same & unmet,
                as_told("not_corrected", pl.lit(OPEN), "still_failing", "the new delivery holds the same"),
            ),
            part(
                live & ~same,
                as_told(
                    "changed_still_failing", asked, "changed_still_failing",
                    "the values have changed, and the rule is still not met",
                ),
            ),
            part(confirmed & same, as_told(None, nothing, "confirmed", "")),
            part(kept & same, as_told(None, nothing, "still_failing", "")),
            part(
                ~live & ~((confirmed | kept) & same),
                as_told("reopened", again, "reopened", "the rule is not met again"),
            ),
        ]
    )  # fmt: skip


def _not_moved(unasked: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Without the question where a patient is whose id was corrected as asked."""
    renamed = moved.filter(pl.col("patient_id") != pl.col("patient_new"))
    old = (
        renamed.select("center_id", "patient_id")
        .unique()
        .with_columns(rule_id=pl.lit(PATIENT_GONE))
    )
    return unasked.join(old, on=["center_id", "patient_id", "rule_id"], how="anti")


def _followed(followed: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """Their record has another key now and fails still; what was confirmed stays so if its values are the same."""
    closed = pl.col("state") == CLOSED
    same = closed & (pl.col("fingerprint") == pl.col("fingerprint_now"))
    asked = pl.when(pl.col("state") == CANDIDATE).then(pl.lit(CANDIDATE)).otherwise(pl.lit(OPEN))
    confirmed = pl.col("resolution") == "confirmed_correct"
    now = [pl.col(f"{name}_now").alias(name) for name in _NOW]

    def part(rows: pl.Expr, exprs: list[pl.Expr]) -> pl.DataFrame:
        return followed.filter(rows).select("query_id", "state", *IDENTITY, *now, *exprs)

    moved = "the record has another key now, and the rule is still not met"
    kept = part(same, as_told("record_changed", pl.lit(CLOSED), "still_failing", moved))
    told = followed.select(
        "query_id",
        pl.col("resolution").alias("kept"),
        pl.when(confirmed)
        .then(pl.lit("confirmed"))
        .otherwise(pl.lit("still_failing"))
        .alias("seen"),
    )
    kept = (
        kept.join(told, on="query_id", how="left")
        .with_columns(resolution="kept", outcome="seen")
        .drop("kept", "seen")
    )
    return pl.concat(
        [
            part(~closed, as_told("changed_still_failing", asked, "changed_still_failing", moved)),
            kept,
            part(
                closed & ~same,
                as_told("reopened", _again(seen), "reopened", "the rule is not met again"),
            ),
        ]
    )


def _again(seen: Seen) -> pl.Expr:
    """The state of a query that is asked again."""
    if seen.at_once:
        return pl.lit(OPEN)
    return pl.when(pl.col("released_at").is_null()).then(pl.lit(CANDIDATE)).otherwise(pl.lit(OPEN))


def _created(unasked: pl.DataFrame, queries: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """A query per fact that none is about; with a release of its own where nobody need decide."""
    taken = set(queries["query_id"])
    ids = []
    for identity in unasked.select(IDENTITY).iter_rows():
        name = query_id(identity, taken, seen.key)
        taken.add(name)
        ids.append(name)
    rows = unasked.with_columns(pl.Series("query_id", ids, dtype=pl.String))
    created = rows.select(
        "query_id",
        pl.lit(None, dtype=pl.String).alias("state"),
        *ABOUT,
        *as_told("created", pl.lit(CANDIDATE), "new", "a rule is not met"),
    )
    if not seen.at_once:
        return created
    released = rows.select(
        "query_id",
        pl.lit(CANDIDATE).alias("state"),
        *ABOUT,
        *as_told("released", pl.lit(OPEN), "new", "released at once, as the study says"),
    )
    return pl.concat([created, released])
