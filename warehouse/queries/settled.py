"""What a load says of the queries whose fact fails no more; part of `reconcile`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from schemas.query_frames import ANSWERED, CANCELLED, CLOSED, OPEN, RESOLVED
from warehouse.queries.facts import IDENTITY

if TYPE_CHECKING:
    from warehouse.queries.reconcile import Seen

ABOUT = (*IDENTITY, "severity", "fingerprint", "involved")
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
    known, gone, moved = pl.col("known"), pl.col("record") == "gone", pl.col("record") == "moved"
    part(
        ~known,
        as_told("cancelled", pl.lit(CANCELLED), "rule_withdrawn", "the rule is judged no more"),
        "rule_withdrawn",
    )
    absent = pl.col("rule_id") == PATIENT_GONE
    lasting = known & pl.col("rule_id").is_in(seen.lasting)
    left = lasting & absent & gone
    settle(
        left & (pl.col("answer") == "patient_withdrawn"),
        "record_withdrawn", "the patient was taken out, as answered", outcome="withdrawn",
    )  # fmt: skip
    back = lasting & absent & ~gone
    settle(back, "data_corrected", "the patient is delivered again")
    changed = lasting & ~absent & pl.col("query_id").is_in(seen.changed) & ~gone
    settle(changed, "data_corrected", "the value was changed again")
    stays = (left & ~(pl.col("answer") == "patient_withdrawn").fill_null(value=False)) | (
        lasting & ~absent & ~gone & ~pl.col("query_id").is_in(seen.changed)
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
    ran = pl.col("ran") & ~pl.col("unknown")
    part(other & ~gone & ~moved & ~ran, as_told(None, nothing, "not_judged", ""), None)
    followed = as_told(
        "record_changed", pl.col("state"), "not_judged", "the record has another key; not judged"
    )
    here = [pl.col("patient_new").alias("patient_id"), pl.col("instance_new").alias("instance")]
    part(other & moved & ~ran, followed, None)
    parts[-1] = (
        parts[-1]
        .drop("patient_id", "instance")
        .join(judged.select("query_id", *here), on="query_id", how="left")
        .select(parts[0].columns)
    )
    settle(other & moved & ran, "data_corrected", "the record has another key, and the rule is met")
    settle(other & ~gone & ~moved & ran, "data_corrected", "the rule is met")
    return pl.concat(parts)


def _with_judgement(lost: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """With `known` (the rule is there), `ran` (it was judged), `unknown` (not of what was asked about)."""
    no = pl.lit(value=False)
    of_table = seen.ran.select("center_id", "rule_id", "table", of_table="ran")
    of_rule = seen.ran.group_by("center_id", "rule_id").agg(of_rule=pl.col("ran").any())
    return (
        lost.join(
            of_table.unique(["center_id", "rule_id", "table"]),
            on=["center_id", "rule_id", "table"], how="left", nulls_equal=True,
        )
        .join(of_rule, on=["center_id", "rule_id"], how="left")
        .join(_unknown(lost, seen).with_columns(unknown=pl.lit(value=True)), on="query_id", how="left")
        .with_columns(
            known=pl.col("rule_id").is_in(seen.rules),
            ran=pl.coalesce("of_table", "of_rule", no),
            unknown=pl.col("unknown").fill_null(value=False),
            done=no,
        )
    )  # fmt: skip


def _unknown(lost: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """query_id of those that ask about a column that is not delivered any more, or a value not understood.

    A value is not understood if another rule fails first about it in the same record, and knows no value.
    """
    named = pl.col("involved").str.contains(".", literal=True)
    asked = (
        lost.select("query_id", "center_id", "patient_id", "table", "instance", "involved")
        .explode("involved")
        .drop_nulls("involved")
        .with_columns(
            home=pl.when(named)
            .then(pl.col("involved").str.extract(r"^(\w+)\."))
            .otherwise("table"),
            column=pl.col("involved").str.extract(r"(\w+)$"),
        )
    )
    dropped = asked.join(
        seen.dropped,
        left_on=["center_id", "home", "column"],
        right_on=["center_id", "table", "column"],
        how="semi",
    )
    unread = seen.facts.filter(pl.col("unread")).select(
        "center_id", "patient_id", "table", "instance", pl.col("field").alias("involved")
    )
    blocked = asked.join(
        unread, on=["center_id", "patient_id", "table", "instance", "involved"], how="semi"
    )
    return pl.concat([dropped.select("query_id"), blocked.select("query_id")]).unique()
