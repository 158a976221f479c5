"""What `carmony queries STUDY list` shows: pseudonyms instead of the centers' own ids."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from flows.folder import StudyFolder
from schemas.query_frames import STATES


def listed_rows(folder: StudyFolder, queries: pl.DataFrame, now: dt.datetime) -> list[list[Any]]:
    """One row per query: id, center, pseudonym, rule, severity, field, state and days.

    Days count from the release of the query, of a candidate from its first finding, until it ended.

    Args:
        folder: the study.
        queries: QUERY.
        now: of the clock.
    """
    begun = pl.coalesce("released_at", "created_at")
    ended = pl.coalesce("ended_at", pl.lit(now).cast(pl.Datetime("us", "UTC")))
    field = pl.concat_str("table", "field", separator=".", ignore_nulls=True)
    rows = (
        queries.join(_id_map(folder), on=["center_id", "patient_id"], how="left")
        .with_columns(field.alias("place"), (ended - begun).dt.total_days().alias("days"))
        .with_columns(
            pl.col("state").replace_strict({s: i for i, s in enumerate(STATES)}).alias("by")
        )
        .sort("by", "center_id", "rule_id", "usubjid", "query_id", nulls_last=True)
    )
    shown = ("query_id", "center_id", "usubjid", "rule_id", "severity", "place", "state", "days")
    return [list(row) for row in rows.select(shown).iter_rows()]


def counts(queries: pl.DataFrame) -> dict[str, int]:
    """Number of queries by state, in the order of the states; states without any are left out."""
    found = dict(queries.group_by("state").len().iter_rows())
    return {state: found[state] for state in STATES if state in found}


def _id_map(folder: StudyFolder) -> pl.DataFrame:
    from warehouse.paths import StudyPaths
    from warehouse.pseudonyms import ID_MAP

    path = StudyPaths(folder.root).id_map
    known = pl.read_parquet(path, glob=False) if path.is_file() else pl.DataFrame(schema=ID_MAP)
    return known.select("center_id", "patient_id", "usubjid")
