"""What `carmony queries STUDY list` shows: pseudonyms instead of the centers' own ids."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl

from flows.folder import StudyFolder
from schemas.query_frames import STATES

if TYPE_CHECKING:
    from warehouse.queries import QueryLog


def listed_rows(folder: StudyFolder, queries: pl.DataFrame, now: dt.datetime) -> list[list[Any]]:
    """One row per query: id, center, pseudonym, rule, severity, field, state, answer and days.

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
    shown = (
        "query_id",
        "center_id",
        "usubjid",
        "rule_id",
        "severity",
        "place",
        "state",
        "answer",
        "days",
    )
    return [list(row) for row in rows.select(shown).iter_rows()]


def counts(queries: pl.DataFrame) -> dict[str, int]:
    """Number of queries by state, in the order of the states; states without any are left out."""
    found = dict(queries.group_by("state").len().iter_rows())
    return {state: found[state] for state in STATES if state in found}


def history_rows(
    log: QueryLog, query_id: str
) -> tuple[tuple[str, ...], list[list[Any]], dict[str, Any]]:
    """What happened to a query: header, a row per event, and what the center wrote.

    The last comes from the vault and may hold data of a patient: for the eyes of who asks for it.
    """
    events = log.events.filter(pl.col("query_id") == query_id).sort("part", "position")
    header = ("at", "actor", "load", "event", "state", "resolution", "reason")
    shown = events.select(
        pl.col("at").dt.strftime("%Y-%m-%d %H:%M"), "actor", "load_id", "event", "to_state",
        "resolution", "reason",
    )  # fmt: skip
    rows = [["" if cell is None else cell for cell in row] for row in shown.iter_rows()]
    names = ("answer", "corrected_value", "comment", "answered_by", "answered_on")
    answers = events.filter(pl.col("answer").is_not_null()).select(names)
    return header, rows, answers.row(-1, named=True) if answers.height else {}


def _id_map(folder: StudyFolder) -> pl.DataFrame:
    from warehouse.paths import StudyPaths
    from warehouse.pseudonyms import read_id_map

    known = read_id_map(StudyPaths(folder.root).id_map)
    return known.select("center_id", "patient_id", "usubjid")
