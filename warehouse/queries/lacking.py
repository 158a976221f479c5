"""Which queries cannot be judged though their rule ran: a value that it rested on cannot be known now. Pure."""

from __future__ import annotations

import polars as pl

from schemas.query_frames import RECORD
from warehouse.queries.standing import Standing

LACKING = pl.Schema({"query_id": pl.String(), "unknown": pl.Boolean(), "other_gone": pl.Boolean()})
_RECORD = RECORD.names()


def lacking(
    lost: pl.DataFrame, homes: pl.DataFrame, standing: Standing, facts: pl.DataFrame
) -> pl.DataFrame:
    """LACKING, one row per query of which something lacks.

    `unknown`: a column is not delivered any more, a value is not understood, a record of another table has
    no value now or cannot be seen, a rule on the whole study did not see the record, which is held. `other_gone`: the record of another table is not delivered any more.

    Args:
        lost: Queries whose fact fails no more, with the record where it stands now.
        homes: query_id, delivery_key: the deliveries that hold the record.
        standing: What stands now of what they rested on.
        facts: FACT of now.
    """
    about = lost.select("query_id", "rule_id", *_RECORD)
    needs = standing.needs.join(about, on="query_id").join(homes, on="query_id")
    own = needs.filter(pl.col("home") == pl.col("table"))
    dropped = own.join(
        standing.columns,
        left_on=["center_id", "delivery_key", "home", "column"],
        right_on=["center_id", "delivery_key", "table", "column"],
        how="anti",
    )
    # Part of a record that was joined from several sheets may stand in a row that could not be read.
    joined = own.join(
        standing.hidden, left_on=["center_id", "home"], right_on=["center_id", "table"], how="semi"
    )
    joined = joined.join(
        standing.cells.filter(~pl.col("filled")),
        on=[*_RECORD, "delivery_key", "column"],
        how="semi",
    )
    seen = standing.valid.select(_RECORD).unique()
    unseen = about.filter(
        pl.col("rule_id").is_in(list(standing.study)), pl.col("patient_id").is_not_null()
    )
    unseen = unseen.join(seen, on=_RECORD, how="anti")
    others = _others(needs.filter(pl.col("home") != pl.col("table")), standing, facts)
    unknown = [
        dropped,
        joined,
        unseen,
        others.filter(pl.col("unknown")),
        _unread(lost, standing, facts),
    ]
    ids = pl.concat([part.select("query_id") for part in unknown]).unique()
    gone = others.filter(pl.col("gone")).select("query_id").unique()
    return (
        ids.with_columns(unknown=pl.lit(value=True))
        .join(
            gone.with_columns(other_gone=pl.lit(value=True)),
            on="query_id",
            how="full",
            coalesce=True,
        )
        .with_columns(pl.col("unknown", "other_gone").fill_null(value=False))
        .select(LACKING.names())
    )


def _others(needs: pl.DataFrame, standing: Standing, facts: pl.DataFrame) -> pl.DataFrame:
    """The needs in records of other tables, with `unknown` and `gone`.

    A record is the same if it agrees in all of its key but the column that is needed.
    """
    columns = sorted({*needs["column"].unique()})
    cells = standing.cells.rename({"table": "home", "instance": "other"})
    cells = cells.with_columns(rest=_rest(columns))
    needs = needs.with_columns(rest=_rest(columns))
    patient = ["center_id", "patient_id", "home", "column"]
    named, unnamed = (needs.filter(pl.col("other").is_not_null() == yes) for yes in (True, False))
    on = [*patient, "delivery_key", "rest"]
    of_any = cells.group_by(*on[:-1]).agg(pl.col("filled").any())
    found = pl.concat(
        [
            named.join(cells.group_by(on).agg(pl.col("filled").any()), on=on, how="left"),
            unnamed.join(of_any, on=on[:-1], how="left"),
        ]
    )
    # A center that adds to what it sent may hold the record in another delivery, which the rule did not see.
    there = cells.select(*patient, "rest").unique().with_columns(elsewhere=pl.lit(value=True))
    some = there.unique(patient).select(*patient, some="elsewhere")
    hidden = standing.hidden.select("center_id", home="table").with_columns(
        hidden=pl.lit(value=True)
    )
    held = facts.filter(pl.col("rule_id").is_in(list(standing.holding))).select(
        *_RECORD[:2], home="table", other="instance", held=pl.lit(value=True)
    )
    found = (
        found.join(there, on=[*patient, "rest"], how="left")
        .join(some, on=patient, how="left")
        .join(hidden.unique(), on=["center_id", "home"], how="left")
        .join(held.unique(), on=["center_id", "patient_id", "home", "other"], how="left")
    )
    past = pl.col("rule_id").is_in(list(standing.sound)) & pl.col("held").fill_null(value=False)
    other = pl.when(pl.col("other").is_null()).then("some").otherwise("elsewhere")
    unseen = (other | pl.col("hidden")).fill_null(value=False)
    absent = pl.col("filled").is_null()
    return found.with_columns(
        unknown=pl.when(absent).then(unseen).otherwise(~pl.col("filled") | past),
        gone=absent & ~unseen,
    )


def _rest(columns: list[str]) -> pl.Expr:
    """`other` without the value of the column of the row."""
    rest = pl.col("other")
    for name in columns:
        without = pl.col("other").str.replace(rf"(^| ){name}=[^ ]*", "")
        rest = pl.when(pl.col("column") == name).then(without).otherwise(rest)
    return rest


def _unread(lost: pl.DataFrame, standing: Standing, facts: pl.DataFrame) -> pl.DataFrame:
    """query_id of those that ask about a value which another rule finds now and cannot read.

    In the very record such a value may be empty too. In other records of the patient it was delivered, and
    the rule looks at them: beside its own in the same table, or in a table where it had found no value.
    """
    named = pl.col("involved").str.contains(".", literal=True)
    asked = (
        lost.select("query_id", "rule_id", *_RECORD, "involved")
        .explode("involved")
        .drop_nulls("involved")
        .with_columns(
            home=pl.when(named)
            .then(pl.col("involved").str.extract(r"^(\w+)\."))
            .otherwise("table"),
            column=pl.col("involved").str.extract(r"(\w+)$"),
        )
    )
    unread = facts.filter(pl.col("unread")).select(
        *_RECORD,
        pl.col("field").alias("column"),
        delivered=pl.col("known").list.contains(pl.col("field")),
    )
    here = asked.filter(~named).join(unread, on=[*_RECORD, "column"], how="semi")
    beside = asked.filter(~named, pl.col("rule_id").is_in(list(standing.beside)))
    others = asked.filter(named).join(standing.needs, on=["query_id", "home", "column"], how="anti")
    elsewhere = pl.concat([beside, others]).join(
        unread.filter(pl.col("delivered")),
        left_on=["center_id", "patient_id", "home", "column"],
        right_on=["center_id", "patient_id", "table", "column"],
        how="semi",
    )
    return pl.concat([here.select("query_id"), elsewhere.select("query_id")])
