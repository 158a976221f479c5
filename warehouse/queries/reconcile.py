"""What a load means for the queries: the facts that fail now against the queries so far. Pure.

fails now as before            stays (answered "corrected" and delivered anew: open again)
fails now by other values      changed_still_failing
fails no more                  resolved, data_corrected
its record is gone             resolved, record_withdrawn; if exactly one new record agrees with it in all
but the values asked about, that record is it, with a corrected key
settled and fails again        reopened; but a confirmed value stays confirmed until it changes
rule is no more                cancelled, rule_withdrawn
rule could not run             nothing: not judged
fails, and nobody asked        created
"""

from __future__ import annotations

import datetime as dt
import re
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
from warehouse.queries.records import DELIVERED
from warehouse.queries.settled import ABOUT, PATIENT_GONE, WAITING, as_told, settled, silenced
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
_TRIED = pl.Schema(
    dict.fromkeys(
        ("query_id", "center_id", "table", "lost", "patient_new", "instance_new"), pl.String()
    )
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a load saw.

    Attributes:
        facts: FACT.
        now: RECORD of this load's deliveries in force; only tables of queries whose fact does not fail.
        before: RECORD of the deliveries in force before.
        ran: center_id, rule_id, table, ran (Boolean).
        rules: Ids of the rules there are.
        fresh: Numbers of the deliveries that are new in this load.
        fresh_centers: Their centers.
        at_once: New queries need no release.
        key: For ids.
        lasting: Rules that ask about a change, which the next delivery does not show again.
        changed: Queries of such rules whose value has changed again.
        dropped: center_id, table, column: delivered before, and no more.
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
    dropped: pl.DataFrame = field(default_factory=DELIVERED.to_frame)


def reconcile(
    queries: pl.DataFrame, seen: Seen, at: dt.datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """QUERY_EVENT of the load, and OUTCOME: what it found of each query that it looked at."""
    facts, owned = seen.facts.with_columns(key()), _owners(queries.with_columns(key()))
    matched = owned.join(facts, on="key", suffix="_now")
    unmatched = owned.join(facts, on="key", how="anti")
    unasked = facts.join(owned, on="key", how="anti")
    lost, followed, moved = _follow(unmatched, unasked, seen)
    unasked = unasked.join(followed, on="key", how="anti")
    parts = [
        _still_failing(matched, seen),
        _followed(followed),
        settled(lost, seen),
        _created(_not_moved(unasked, moved), queries, seen),
    ]
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
    now = [pl.col(f"{name}_now").alias(name) for name in ("severity", "fingerprint", "involved")]
    own = ["query_id", "state", *IDENTITY]
    same = pl.col("fingerprint") == pl.col("fingerprint_now")
    live = pl.col("state").is_in([CANDIDATE, OPEN, ANSWERED])
    asked = pl.when(pl.col("state") == CANDIDATE).then(pl.lit(CANDIDATE)).otherwise(pl.lit(OPEN))
    if seen.at_once:
        again = pl.lit(OPEN)
    else:
        again = (
            pl.when(pl.col("released_at").is_null()).then(pl.lit(CANDIDATE)).otherwise(pl.lit(OPEN))
        )
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


def _follow(
    unmatched: pl.DataFrame, unasked: pl.DataFrame, seen: Seen
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Queries whose fact fails no more, and what became of their records.

    Returns:
        Those with what became of their record in `record`: `there`, `moved` (its key was corrected) or `gone`;
        those whose record moved and fails the same rule still, with the `key` of the fact; and for all whose
        record moved `query_id`, `center_id`, `patient_id`, `patient_new` and `instance_new`.
    """
    live = pl.col("state").is_in([CANDIDATE, OPEN, ANSWERED])
    asked = unmatched.filter(live | silenced())
    by = ["center_id", "patient_id", "table", "instance"]
    there = asked.join(seen.now.with_columns(there=pl.lit(value=True)), on=by, how="left")
    has_record = pl.col("table").is_not_null() & pl.col("patient_id").is_not_null()
    there = there.with_columns(pl.col("there").fill_null(value=False) | ~has_record)
    gone = there.filter(~pl.col("there"), live)
    moves = _moves(gone, seen)
    moved = gone.select("query_id", "center_id", "patient_id").join(moves, on="query_id")
    found = gone.join(moves, on="query_id").with_columns(
        patient_id=pl.col("patient_new"), instance=pl.col("instance_new")
    )
    found = found.with_columns(key())
    followed = found.join(unasked, on="key", suffix="_now").unique("key", keep="first")
    lost = there.join(followed, on="query_id", how="anti").join(
        moves.with_columns(moved=pl.lit(value=True)), on="query_id", how="left"
    )
    record = (
        pl.when(pl.col("there"))
        .then(pl.lit("there"))
        .when(pl.col("moved").fill_null(value=False))
        .then(pl.lit("moved"))
        .otherwise(pl.lit("gone"))
    )
    return lost.with_columns(record.alias("record")), followed, moved


def _not_moved(unasked: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Without the question where a patient is whose id was corrected as asked."""
    renamed = moved.filter(pl.col("patient_id") != pl.col("patient_new"))
    old = (
        renamed.select("center_id", "patient_id")
        .unique()
        .with_columns(rule_id=pl.lit(PATIENT_GONE))
    )
    return unasked.join(old, on=["center_id", "patient_id", "rule_id"], how="anti")


def _moves(gone: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """query_id, patient_new, instance_new: the one new record that can be the lost one.

    It was not there before, is of the same center and table, and agrees in the patient and in every value
    of the key but those of the columns that the query is about. If several new records fit, or several
    lost records one new record, nobody can tell, and there is none.
    """
    by = ["center_id", "patient_id", "table", "instance"]
    new = seen.now.join(seen.before, on=by, how="anti", nulls_equal=True)
    lost = gone.select(
        "query_id",
        *by,
        pl.concat_str(by, separator="\x1f").alias("lost"),
        pl.col("involved").list.unique().list.sort().list.join(" ").alias("asked"),
    )
    frames = [pl.DataFrame(schema=_TRIED)]
    for asked in lost["asked"].drop_nulls().unique().sort():  # a few dozen sets of columns at most
        columns = asked.split(" ")
        rest = pl.col("instance")
        for name in columns:
            rest = rest.str.replace(rf"(^| ){re.escape(name)}=[^ ]*", "")
        on = ["center_id", "table", "rest"]
        on += [] if "patient_id" in columns else ["patient_id"]
        left = lost.filter(pl.col("asked") == asked).with_columns(rest=rest)
        right = new.with_columns(
            rest=rest, patient_new=pl.col("patient_id"), instance_new=pl.col("instance")
        )
        frames.append(left.join(right, on=on).select(_TRIED.names()))
    fits = pl.concat(frames)
    one = fits.filter(pl.len().over("query_id") == 1)
    claimed = pl.col("lost").n_unique().over("center_id", "table", "patient_new", "instance_new")
    close = one.filter(claimed == 1)
    # More of the key was corrected than was asked about: the only lost record of a patient is the only new one.
    rows = ["center_id", "patient_id", "table"]
    left = lost.join(close, on="query_id", how="anti")
    went = seen.before.join(seen.now, on=by, how="anti", nulls_equal=True)
    taken = close.select(
        "center_id",
        pl.col("patient_new").alias("patient_id"),
        "table",
        pl.col("instance_new").alias("instance"),
    )
    came = new.join(taken, on=by, how="anti", nulls_equal=True)
    only_went = went.filter(pl.len().over(rows) == 1)
    only_came = came.filter(pl.len().over(rows) == 1).rename({"instance": "instance_new"})
    far = left.join(only_went, on=by, how="semi").join(only_came, on=rows)
    moved = ["query_id", "patient_new", "instance_new"]
    far = far.with_columns(pl.col("patient_id").alias("patient_new")).select(moved)
    return pl.concat([close.select(moved), far])


def _followed(followed: pl.DataFrame) -> pl.DataFrame:
    """Their record has another key now and fails still."""
    asked = pl.when(pl.col("state") == CANDIDATE).then(pl.lit(CANDIDATE)).otherwise(pl.lit(OPEN))
    now = [pl.col(f"{name}_now").alias(name) for name in ("severity", "fingerprint", "involved")]
    return followed.select(
        "key",
        "query_id",
        "state",
        *IDENTITY,
        *now,
        *as_told(
            "changed_still_failing", asked, "changed_still_failing",
            "the record has another key now, and the rule is still not met",
        ),
    ).drop("key")  # fmt: skip


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
