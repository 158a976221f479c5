"""What a load says of the queries whose fact fails no more; part of `reconcile`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from schemas.query_frames import ANSWERED, CANCELLED, CLOSED, OPEN, RECORD, RESOLVED
from warehouse.queries.facts import IDENTITY
from warehouse.queries.lacking import lacking

if TYPE_CHECKING:
    from warehouse.queries.reconcile import Seen

ABOUT = (*IDENTITY, "severity", "fingerprint", "involved", "known")
WAITING = pl.col("answer").is_in(["corrected", "patient_withdrawn"])
PATIENT_GONE = "STR-12"  # the rule on a patient of the delivery before
_SILENT = ("confirmed_correct", "not_available")


def silenced() -> pl.Expr:
    """Closed because the center stands by the value, or cannot know it: until the data settle it."""
    return (pl.col("state") == CLOSED) & pl.col("resolution").is_in(_SILENT)


def as_told(
    event: str | None, to_state: pl.Expr, outcome: str | None, reason: str
) -> list[pl.Expr]:
    """The columns of an event that are the same for many queries."""
    return [
        pl.lit(event, dtype=pl.String).alias("event"),
        to_state.cast(pl.String).alias("to_state"),
        pl.lit(None, dtype=pl.String).alias("resolution"),
        pl.lit(reason).alias("reason"),
        pl.lit(outcome, dtype=pl.String).alias("outcome"),
    ]


def settled(lost: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """Events and outcomes of queries whose fact fails no more, by what became of their record (`record`)."""
    judged = _with_judgement(lost, seen)
    own = ["query_id", "state", *ABOUT]
    parts = []

    def part(rows: pl.Expr, exprs: list[pl.Expr], resolution: str | None) -> None:
        made = judged.filter(rows & ~pl.col("done")).select(*own, *exprs)
        parts.append(made.with_columns(pl.lit(resolution, dtype=pl.String).alias("resolution")))

    def settle(rows: pl.Expr, resolution: str, reason: str, *, outcome: str = "resolved") -> None:
        event = "withdrawn" if outcome == "withdrawn" else "resolved"
        part(rows, as_told(event, pl.lit(RESOLVED), outcome, reason), resolution)

    nothing = pl.lit(None, dtype=pl.String)
    known, gone, moved = (
        pl.col("known_rule"),
        pl.col("record") == "gone",
        pl.col("record") == "moved",
    )
    hidden, unknown = pl.col("hidden"), pl.col("unknown")
    part(
        ~known,
        as_told("cancelled", pl.lit(CANCELLED), "rule_withdrawn", "the rule is judged no more"),
        "rule_withdrawn",
    )
    part(known & hidden, as_told(None, nothing, "not_judged", ""), None)
    known &= ~hidden
    absent = pl.col("rule_id") == PATIENT_GONE
    lasting = known & pl.col("rule_id").is_in(seen.lasting)
    left = lasting & absent & gone
    settle(
        left & (pl.col("answer") == "patient_withdrawn"),
        "record_withdrawn", "the patient was taken out, as answered", outcome="withdrawn",
    )  # fmt: skip
    back = lasting & absent & ~gone
    settle(back, "data_corrected", "the patient is delivered again")
    about_change = lasting & ~absent & ~gone
    part(about_change & unknown, as_told(None, nothing, "not_judged", ""), None)
    about_change &= ~unknown
    changed = pl.col("query_id").is_in(seen.changed)
    settle(about_change & changed, "data_corrected", "the value was changed again")
    stays = (left & ~(pl.col("answer") == "patient_withdrawn").fill_null(value=False)) | (
        about_change & ~changed
    )
    unmet = (pl.col("state") == ANSWERED) & WAITING.fill_null(value=False)
    unmet &= pl.col("center_id").is_in(seen.fresh_centers)
    part(
        stays & unmet,
        as_told("not_corrected", pl.lit(OPEN), "still_failing", "the new delivery holds the same"),
        None,
    )
    part(
        stays & ~unmet & (pl.col("state") != CLOSED),
        as_told(None, nothing, "still_failing", ""),
        None,
    )
    part(
        stays & ~unmet & (pl.col("state") == CLOSED), as_told(None, nothing, "confirmed", ""), None
    )
    other = known & ~left & ~(lasting & ~gone)
    settle(
        other & gone,
        "record_withdrawn",
        "the record is not delivered any more",
        outcome="withdrawn",
    )
    other &= ~gone
    ran = pl.col("ran") & ~unknown
    part(other & ~moved & ~ran, as_told(None, nothing, "not_judged", ""), None)
    followed = as_told(
        "record_changed", pl.col("state"), "not_judged", "the record has another key; not judged"
    )
    part(other & moved & ~ran, followed, None)
    there = [pl.col(new).alias(name) for name, new in _NEW.items()]
    kept = judged.select("query_id", pl.col("resolution").alias("kept"), *there)
    parts[-1] = (
        parts[-1]
        .drop(*_NEW)
        .join(kept, on="query_id", how="left")
        .with_columns(resolution="kept")
        .select(parts[0].columns)
    )
    settle(
        other & ran & pl.col("other_gone"),
        "record_withdrawn",
        "a record that the rule compares with is not delivered any more",
        outcome="withdrawn",
    )
    met = other & ran & ~pl.col("other_gone")
    settle(met & moved, "data_corrected", "the record has another key, and the rule is met")
    settle(met & ~moved, "data_corrected", "the rule is met")
    return pl.concat(parts)


_RECORD = RECORD.names()
_NEW = {"patient_id": "patient_new", "instance": "instance_new"}  # what a corrected key changes


def _with_judgement(lost: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """With what is known of the rule and of the values that it needs.

    `known_rule` (it is there), `ran` (in every delivery that holds the record), `hidden` (the record cannot
    be seen), `unknown` and `other_gone` of LACKING.
    """
    no, yes = pl.lit(value=False), pl.lit(value=True)
    here = lost.with_columns(pl.coalesce(new, name).alias(name) for name, new in _NEW.items())
    homes = here.join(seen.now, on=_RECORD).select("query_id", "delivery_key")
    lacks = lacking(here, homes, seen.standing, seen.facts)
    hidden = seen.standing.hidden.unique().with_columns(unseen=yes)
    where = ["center_id", "table"]
    return (
        lost.join(_ran(here, homes, seen.ran), on="query_id", how="left")
        .join(lacks, on="query_id", how="left")
        .join(hidden, on=where, how="left")
        .with_columns(
            pl.col("ran", "unknown", "other_gone").fill_null(value=False),
            known_rule=pl.col("rule_id").is_in(seen.rules),
            hidden=((pl.col("record") == "gone") & pl.col("unseen").fill_null(value=False))
            | pl.col("query_id").is_in(list(seen.standing.unseen)),
            done=no,
        )
    )


def _ran(here: pl.DataFrame, homes: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """query_id, ran: whether the rule ran on the table in every delivery that holds the record.

    Of a query on no record: in any delivery of the center.
    """
    by = ["center_id", "rule_id", "delivery_key"]
    of_table = told.group_by(*by, "table").agg(of_table=pl.col("ran").any())
    of_rule = told.group_by(by).agg(of_rule=pl.col("ran").any())
    ran = pl.coalesce("of_table", "of_rule", pl.lit(value=False))
    about = here.select("query_id", "center_id", "rule_id", "table")
    placed = (
        about.join(homes, on="query_id")
        .join(of_table, on=[*by, "table"], how="left")
        .join(of_rule, on=by, how="left")
        .group_by("query_id")
        .agg(ran.all().alias("ran"))
    )
    of_center = of_table.group_by("center_id", "rule_id", "table").agg(pl.col("of_table").any())
    of_all = of_rule.group_by("center_id", "rule_id").agg(pl.col("of_rule").any())
    rest = (
        about.join(homes, on="query_id", how="anti")
        .join(of_center, on=["center_id", "rule_id", "table"], how="left", nulls_equal=True)
        .join(of_all, on=["center_id", "rule_id"], how="left")
        .select("query_id", ran.alias("ran"))
    )
    return pl.concat([placed, rest])
