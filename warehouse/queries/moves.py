"""Where the records of queries went whose key was corrected; part of `reconcile`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from schemas.query_frames import ANSWERED, CANDIDATE, OPEN, RECORD
from warehouse.queries.facts import key
from warehouse.queries.settled import silenced

if TYPE_CHECKING:
    from warehouse.queries.reconcile import Seen

_RECORD = RECORD.names()
_DATES = r"(^| )\w*date=[^ ]*"
_TRIED = pl.Schema(
    dict.fromkeys(
        ("query_id", "center_id", "table", "lost", "patient_new", "instance_new"), pl.String()
    )
)


def follow(
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
    records = seen.now.select(_RECORD).unique()
    there = asked.join(records.with_columns(there=pl.lit(value=True)), on=_RECORD, how="left")
    has_record = pl.col("table").is_not_null() & pl.col("patient_id").is_not_null()
    there = there.with_columns(pl.col("there").fill_null(value=False) | ~has_record)
    hidden = seen.standing.hidden
    gone = there.filter(~pl.col("there")).join(hidden, on=["center_id", "table"], how="anti")
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


def _moves(gone: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """query_id, patient_new, instance_new: the one new record that can be the lost one.

    It was not there before, is of the same center and table, and agrees in the patient and in every value
    of the key but those of the columns that the query is about. If several new records fit, or several
    lost records one new record, nobody can tell, and there is none. Where one query finds its record, the
    others on the same record follow.
    """
    new = (
        seen.now.select(_RECORD)
        .unique()
        .join(seen.before.select(_RECORD), on=_RECORD, how="anti", nulls_equal=True)
    )
    lost = gone.select(
        "query_id",
        *_RECORD,
        pl.concat_str(_RECORD, separator="\x1f").alias("lost"),
        pl.col("involved").list.unique().list.sort().list.join(" ").alias("asked"),
    )
    frames = [pl.DataFrame(schema=_TRIED)]
    for asked in lost["asked"].drop_nulls().unique().sort():  # a few dozen sets of columns at most
        columns = asked.split(" ")
        rest = _without(columns)
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
    moved = ["query_id", "patient_new", "instance_new"]
    close = pl.concat([close.select(*moved, "center_id", "table"), _with_record(lost, close)])
    return pl.concat([close.select(moved), _only_ones(lost, close, new, seen)])


def _with_record(lost: pl.DataFrame, close: pl.DataFrame) -> pl.DataFrame:
    """The other queries on a lost record of which one query tells where it is."""
    there = close.select("lost", "patient_new", "instance_new").unique()
    there = there.filter(pl.len().over("lost") == 1)
    others = lost.join(close, on="query_id", how="anti").join(there, on="lost")
    return others.select("query_id", "patient_new", "instance_new", "center_id", "table")


def _only_ones(
    lost: pl.DataFrame, close: pl.DataFrame, new: pl.DataFrame, seen: Seen
) -> pl.DataFrame:
    """Lost records of which a date was corrected that nobody asked about.

    Such a record is the only one of its patient that went, and the only one that came, among those that agree
    in all of the key but its dates and what was asked about. Another line, kind or test is another record.
    """
    moved = ["query_id", "patient_new", "instance_new"]
    left = lost.join(close, on="query_id", how="anti")
    went = (
        seen.before.select(_RECORD)
        .unique()
        .join(seen.now.select(_RECORD), on=_RECORD, how="anti", nulls_equal=True)
    )
    taken = close.select(
        "center_id",
        pl.col("patient_new").alias("patient_id"),
        "table",
        pl.col("instance_new").alias("instance"),
    )
    came = new.join(taken, on=_RECORD, how="anti", nulls_equal=True)
    frames = [pl.DataFrame(schema=dict.fromkeys(moved, pl.String))]
    for asked in left["asked"].drop_nulls().unique().sort():
        rest = _without(asked.split(" ")).str.replace_all(_DATES, "").alias("rest")
        group = ["center_id", "patient_id", "table", "rest"]
        alone = pl.len().over(group) == 1
        gone, there = (some.with_columns(rest).filter(alone) for some in (went, came))
        mine = left.filter(pl.col("asked") == asked).join(gone, on=_RECORD)
        found = mine.join(there.rename({"instance": "instance_new"}), on=group)
        frames.append(found.with_columns(patient_new=pl.col("patient_id")).select(moved))
    return pl.concat(frames)


def _without(columns: list[str]) -> pl.Expr:
    """The instance without the values of some columns."""
    rest = pl.col("instance")
    for name in columns:
        rest = rest.str.replace(rf"(^| ){re.escape(name)}=[^ ]*", "")
    return rest
