"""Which lines are answers: every line of a file ends as answered, repeated, unanswered or a problem.

A line with several ids counts once for each of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from schemas.query_frames import ANSWERED, CANDIDATE, ENDED
from transforms.harmonize.values import match_key
from warehouse.query_answers.lines import WRITTEN

# What became of a line, in `outcome`; a problem has its code in `fault`.
TAKEN, REPEATED, UNANSWERED, PROBLEM = "taken", "repeated", "unanswered", "problem"


def units_of(lines: pl.DataFrame) -> pl.DataFrame:
    """LINE with one row per query id, as `query_id`, and `written`: the center has filled it in."""
    some = pl.when(pl.col("ids").list.len() > 0).then("ids")  # an empty list would lose its line
    return (
        lines.rename({"query_id": "id_text"})
        .with_columns(query_id=some)
        .drop("ids")
        .explode("query_id")
        .with_columns(written=pl.any_horizontal(pl.col(n).is_not_null() for n in WRITTEN))
    )


def judged(
    units: pl.DataFrame,
    queries: pl.DataFrame,
    center_id: str | None,
    changed: Sequence[str],
    said: pl.DataFrame,
) -> pl.DataFrame:
    """The units with `outcome`, `fault`, `state` and `resolution`, in the same order.

    Args:
        units: As `units_of` gives them.
        queries: QUERY.
        center_id: Whose answers they are.
        changed: Queries of which the center delivered another value since the workbook was written.
        said: `query_id` and `WRITTEN`: earlier answers of queries that were asked again since then.
    """
    earlier = said.with_columns(again=pl.lit(value=True))
    before = (pl.coalesce(f"{name}_said", name).alias(f"{name}_before") for name in WRITTEN)
    known = queries.join(earlier, on="query_id", how="left", suffix="_said").select(
        "query_id",
        *("state", "resolution", "again"),
        pl.col("center_id").alias("of_center"),
        pl.col("patient_id").alias("of_patient"),
        *before,
    )
    units = units.join(known, on="query_id", how="left", maintain_order="left")
    pairs = ["patient", "of_patient"]
    units = (
        units.join(
            _strangers(units, pairs), on=pairs, how="left", maintain_order="left", nulls_equal=True
        )
        .with_columns(pl.coalesce("fault", _fault_of_query(center_id, changed)))
        .with_columns(different=_different(), turn=pl.int_range(pl.len()).over(_of_one_query()))
    )
    good = pl.col("fault").is_null() | (pl.col("fault") == "KNOWN")
    units = units.with_columns(
        pl.when(pl.col("different") & good)
        .then(pl.lit("DIFFERENT_ANSWERS"))
        .otherwise("fault")
        .alias("fault")
    )
    outcome = (
        pl.when(pl.col("fault") == "KNOWN").then(pl.lit(REPEATED))
        .when(pl.col("fault").is_not_null()).then(pl.lit(PROBLEM))
        .when(~pl.col("written")).then(pl.lit(UNANSWERED))
        .when(pl.col("turn") > 0).then(pl.lit(REPEATED))
        .otherwise(pl.lit(TAKEN))
    )  # fmt: skip
    return units.with_columns(outcome=outcome)


def _fault_of_query(center_id: str | None, changed: Sequence[str]) -> pl.Expr:
    """What keeps a good answer from its query; `KNOWN`: it was imported before."""
    state = pl.col("state")
    same = pl.all_horizontal(
        pl.col("answer_code").eq_missing(pl.col("answer_before")),
        *(pl.col(n).eq_missing(pl.col(f"{n}_before")) for n in ("corrected_value", "comment")),
    )
    other = pl.lit(value=False) if center_id is None else pl.col("of_center") != center_id
    fault = (
        pl.when(state.is_null()).then(pl.lit("UNKNOWN_ID"))
        .when(other).then(pl.lit("OTHER_CENTER"))
        .when(pl.col("stranger")).then(pl.lit("OTHER_PATIENT"))
        .when(same & (state.is_in([ANSWERED, *ENDED]) | pl.col("again"))).then(pl.lit("KNOWN"))
        .when(state == CANDIDATE).then(pl.lit("NOT_SENT"))
        .when(state.is_in(ENDED)).then(pl.lit("ENDED"))
        .when(pl.col("query_id").is_in(changed)).then(pl.lit("VALUE_CHANGED"))
    )  # fmt: skip
    return pl.when("written").then(fault)


def _strangers(units: pl.DataFrame, pairs: list[str]) -> pl.DataFrame:
    """Patients that a line names beside those that its query is about, where these are two people."""
    named = units.filter(pl.col("patient").is_not_null() & pl.col("state").is_not_null())
    unlike = named.filter(pl.col("patient").ne_missing(pl.col("of_patient"))).select(pairs).unique()
    rows = [(cell, of) for cell, of in unlike.iter_rows() if not _same_patient(cell, of)]
    schema = dict.fromkeys(pairs, pl.String())
    return pl.DataFrame(rows, schema, orient="row").with_columns(stranger=pl.lit(value=True))


def _same_patient(cell: str, patient_id: str | None) -> bool:
    """Whether two spellings are one id: programs take zeros, digits and a ' in front away."""
    if patient_id is None:
        return False
    one, other = match_key(cell), match_key(patient_id)
    try:
        return one == other or math.isclose(float(one), float(other), rel_tol=1e-5)
    except ValueError:
        return False


def _of_one_query() -> list[pl.Expr]:
    """Lines that could each be the answer of a query; others are alone."""
    able = pl.col("written") & pl.col("fault").is_null() & pl.col("query_id").is_not_null()
    return [pl.col("query_id"), able]


def _different() -> pl.Expr:
    """Whether what was written for a query differs between its lines, readable or not."""
    answer = pl.coalesce("answer_code", "answer")
    told = pl.struct(answer.alias("answer_code"), "corrected_value", "comment")
    several = pl.when("written").then(told).drop_nulls().n_unique().over("query_id") > 1
    return several & pl.col("written") & pl.col("query_id").is_not_null()
