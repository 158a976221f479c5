"""Fills `quality.query`, `query_event`, `exception` and `query_load`: no ids of centers, no values, no names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from schemas.catalog import Catalog
from schemas.spec.study import Study
from warehouse.queries.facts import key
from warehouse.queries.of_load import LoadQueries, queries_of_load
from warehouse.shown_names import ShownNames
from warehouse.sql_text import listed, name
from warehouse.staged_files import LinkedDelivery, parquet

if TYPE_CHECKING:
    import duckdb

_RAN = """
SELECT d.center_id, c.rule_id, c."table", d.delivery_key, bool_or(
  c.outcome NOT IN ('not_run', 'error')
  -- "Not applicable" with a reason that no row gives: a declaration keeps the rule from running.
  AND NOT (c.outcome = 'not_applicable' AND c.reason IS NOT NULL AND c.reason NOT LIKE '%did not run%')
) AS ran
FROM quality.check_run c JOIN quality.delivery d USING (delivery_key)
WHERE d.is_current GROUP BY ALL
"""
_MOMENTS = ("created_at", "released_at", "sent_at", "answered_at", "ended_at")
_WRITTEN = ("data manager", "center")  # reasons of these may be in their own words


def fill_queries(
    con: duckdb.DuckDBPyConnection,
    study_folder: Path,
    study: Study,
    load_id: int,
    catalog: Catalog,
    rules: Sequence[Mapping[str, Any]],
    deliveries: Sequence[LinkedDelivery],
    names: ShownNames,
) -> None:
    """Compares the findings of a running load with the queries so far, and publishes their state.

    Needs temporary table `id_map`, and `quality` with the rules on the whole study judged.
    """
    ran = pl.DataFrame(
        con.execute(_RAN).fetchall(),
        dict.fromkeys(("center_id", "rule_id", "table"), pl.String)
        | {"delivery_key": pl.Int32, "ran": pl.Boolean},
        orient="row",
    )
    found = queries_of_load(
        study_folder,
        study,
        load_id,
        rules,
        catalog,
        [delivery.staged for delivery in deliveries],
        ran,
    )
    scratch = deliveries[0].link.parent
    _insert(con, "query", _shown(_queries(found), names), scratch, identified=True)
    _insert(con, "query_event", _events(found), scratch)
    exceptions = _shown(_exceptions(found, rules), names)
    _insert(con, "exception", exceptions, scratch, identified=True)
    _insert(con, "query_load", found.counts, scratch)


def _shown(queries: pl.DataFrame, names: ShownNames) -> pl.DataFrame:
    """The same, with places that are files without ids in the names."""
    of_files = queries.filter(pl.col("instance").str.starts_with("file="))
    if of_files.is_empty():
        return queries
    by = ["center_id", "instance"]
    shown = (
        of_files.select(by)
        .unique()
        .with_columns(
            pl.struct(by)
            .map_elements(lambda one: names.place(*one.values()), return_dtype=pl.String)
            .alias("shown")
        )
    )
    return queries.join(shown, on=by, how="left", maintain_order="left").with_columns(
        pl.coalesce("shown", "instance").alias("instance")
    )


def _queries(found: LoadQueries) -> pl.DataFrame:
    """The state of every query, with the finding that tells it now."""
    queries = found.log.queries
    now = found.facts.facts.select(key(), "delivery_key", "finding_id")
    first = found.log.events.group_by("query_id").agg(created_load=pl.col("load_id").first())
    return (
        queries.with_columns(key())
        .join(now, on="key", how="left", maintain_order="left")
        .join(found.outcomes.select("query_id", "outcome"), on="query_id", how="left")
        .join(first, on="query_id", how="left")
        .with_columns(pl.col(name).dt.replace_time_zone(None) for name in _MOMENTS)
        .sort("center_id", "created_at", "query_id")
    )


def _events(found: LoadQueries) -> pl.DataFrame:
    own_words = pl.col("actor").is_in(_WRITTEN) & pl.col("event").is_in(
        ["closed", "confirmed", "reopened"]
    )
    return found.log.events.sort("part", "position").with_columns(
        pl.col("at").dt.replace_time_zone(None),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("query_id").alias("event_number"),
        pl.when(own_words & pl.col("answer").is_null())
        .then(None)
        .otherwise("reason")
        .alias("reason"),
    )


def _exceptions(found: LoadQueries, rules: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Every confirmation: who made it, and until when it held."""
    holding = [rule["id"] for rule in rules if rule.get("disposition") == "quarantine"]
    confirmed = (
        found.log.events.filter(pl.col("event") == "confirmed")
        .sort("part", "position")
        .group_by("query_id", maintain_order=True)
        .agg(confirmed_by=pl.col("actor").last(), confirmed_at=pl.col("at").last())
    )
    later = (
        found.log.events.join(confirmed, on="query_id")
        .filter(
            pl.col("at") >= pl.col("confirmed_at"),
            pl.col("event").is_in(["reopened", "resolved", "withdrawn"]),
        )
        .group_by("query_id")
        .agg(broken_at=pl.col("at").first())
    )
    about = found.log.queries.drop("ended_at")
    return (
        confirmed.join(about, on="query_id")
        .join(later, on="query_id", how="left")
        .with_columns(
            pl.col("confirmed_at").dt.replace_time_zone(None),
            holds=pl.col("broken_at").is_null(),
            ended_at=pl.col("broken_at").dt.replace_time_zone(None),
            row_held=pl.col("rule_id").is_in(holding),
        )
        .sort("center_id", "query_id")
    )


def _insert(
    con: duckdb.DuckDBPyConnection,
    table: str,
    frame: pl.DataFrame,
    scratch: Path,
    *,
    identified: bool = False,
) -> None:
    """Rows of our own making go in as Parquet; local ids become pseudonyms on the way."""
    if frame.is_empty():
        return
    columns = [
        row[0]
        for row in con.execute(
            "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'quality' "
            f"AND table_name IN {listed([table])} ORDER BY column_index"
        ).fetchall()
    ]
    file = scratch / f"{table}.parquet"
    kept = [c for c in columns if c != "usubjid"]
    frame.select(*kept, *(["patient_id"] if identified else [])).write_parquet(file)
    named = ", ".join("m.usubjid" if c == "usubjid" else f"f.{name(c)}" for c in columns)
    joined = (
        "LEFT JOIN id_map m ON m.center_id = f.center_id AND m.patient_id = f.patient_id"
        if identified
        else ""
    )
    con.execute(
        f"INSERT INTO quality.{name(table)} SELECT {named} FROM {parquet([file])} f {joined}"
    ).fetchall()
    file.unlink()
