"""The queries of a running load: what it found, written to the log; it counts once the load is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from schemas.catalog import Catalog
from schemas.query_frames import ANSWERED, CANDIDATE, OPEN, RECORD
from schemas.spec.study import Study
from warehouse.loads import LoadLog, StagedDelivery
from warehouse.pseudonyms import Pseudonymizer
from warehouse.queries.corrected import told_corrections
from warehouse.queries.facts import Facts, facts_of, key
from warehouse.queries.log import COUNTS, QueryLog
from warehouse.queries.reconcile import Seen, reconcile
from warehouse.queries.records import Numbered, records_of, values_of
from warehouse.queries.settled import PATIENT_GONE, silenced
from warehouse.queries.standing import ON_CHANGES, standing_of

# When a load looked at the queries: set where a load of the past is built again.
MOMENT: ContextVar[dt.datetime | None] = ContextVar("moment", default=None)


@dataclass(frozen=True, slots=True)
class LoadQueries:
    """After a load: the log with it, what it found of each query, the counts of all loads, the facts."""

    log: QueryLog
    outcomes: pl.DataFrame
    counts: pl.DataFrame
    facts: Facts


def queries_of_load(
    study_folder: Path,
    study: Study,
    load_id: int,
    rules: Sequence[Mapping[str, Any]],
    catalog: Catalog,
    staged: Sequence[StagedDelivery],
    ran: pl.DataFrame,
    *,
    at: dt.datetime | None = None,
) -> LoadQueries:
    """Compares what fails now with the queries so far, and writes the load's part of the log.

    Args:
        study_folder: The study, whose lock the caller holds.
        study: Its settings.
        load_id: The running load.
        rules: Entries of the rules there are, with id and category.
        catalog: Canonical tables.
        staged: All deliveries as this load sees them (`LoadLog.history(including=load_id)`).
        ran: center_id, rule_id, table, delivery_key, ran: whether a rule could be judged in a delivery in force.
        at: Now.
    """
    log = QueryLog.read(study_folder)
    pseudonyms = Pseudonymizer.of_study(study_folder, study.id)
    numbered = [(n, delivery) for n, delivery in enumerate(staged, start=1) if delivery.current]
    now = [delivery for _, delivery in numbered]
    before = [d for d in LoadLog.read(study_folder).history() if d.current]
    found = facts_of(study_folder, numbered, catalog, pseudonyms.key_for("values of queries"))
    doubtful = log.queries.filter(
        pl.col("state").is_in([CANDIDATE, OPEN, ANSWERED]) | silenced()
    ).with_columns(key())
    doubtful = doubtful.join(found.facts.with_columns(key()), on="key", how="anti")
    known = {(d.center_id, d.delivery_id) for d in before}
    new = {n: d.center_id for n, d in numbered if (d.center_id, d.delivery_id) not in known}
    lasting = frozenset(
        rule["id"]
        for rule in rules
        if rule["id"] == PATIENT_GONE or rule.get("category") == ON_CHANGES
    )
    records = records_of(numbered, catalog, doubtful)
    records_before = records_of(_seen_before(before, staged, log), catalog, doubtful)
    came = records.join(records_before, on=RECORD.names(), how="anti")["patient_id"]
    people = {*doubtful["patient_id"].drop_nulls(), *came.drop_nulls()}
    every = list(enumerate(staged, start=1))
    seen = Seen(
        facts=found.facts,
        now=records,
        before=records_before,
        ran=ran,
        rules=frozenset(rule["id"] for rule in rules),
        fresh=frozenset(new),
        fresh_centers=frozenset(new.values()),
        at_once=study.queries.release == "at_once",
        key=pseudonyms.key_for("ids of queries"),
        lasting=lasting,
        changed=_changed(doubtful.filter(pl.col("rule_id").is_in(lasting)), before, now, catalog),
        standing=standing_of(doubtful, found.facts, numbered, every, catalog, people, records),
    )
    moment = at or MOMENT.get() or dt.datetime.now(dt.UTC)
    events, outcomes = reconcile(log.queries, seen, moment)
    events = told_corrections(events, log.queries, now, catalog)
    counts = log.record_load(load_id, events, _counted(outcomes, load_id))
    return LoadQueries(QueryLog.read(study_folder, including=load_id), outcomes, counts, found)


def _changed(
    asked: pl.DataFrame,
    before: Sequence[StagedDelivery],
    now: Sequence[StagedDelivery],
    catalog: Catalog,
) -> frozenset[str]:
    """Ids of queries whose field has another value than in the load before.

    Where there was one when the query was made and none in the load before, a change cannot be told.
    """
    if asked.is_empty():
        return frozenset()
    by = ["center_id", "patient_id", "table", "instance", "field"]
    old, new = (values_of(some, catalog, asked) for some in (before, now))
    told = asked.select("query_id", "known", *by).join(old, on=by, how="left")
    told = told.join(new, on=by, how="left", suffix="_now")
    lost = pl.col("known").list.contains(pl.col("field")) & (pl.col("value").fill_null("") == "")
    differs = pl.col("value").ne_missing(pl.col("value_now")) & ~lost.fill_null(value=False)
    return frozenset(told.filter(differs)["query_id"])


def _seen_before(
    before: Sequence[StagedDelivery],
    staged: Sequence[StagedDelivery],
    log: QueryLog,
) -> list[Numbered]:
    """The deliveries whose records are not new.

    Those in force before; of a center of which the last load could not judge a query, all earlier ones,
    since records may have been out of sight.
    """
    centers = log.unjudged_centers()
    earlier = [d for d in staged if not d.current and d.center_id in centers]
    return list(enumerate([*before, *earlier], start=1))


def _counted(outcomes: pl.DataFrame, load_id: int) -> pl.DataFrame:
    return (
        outcomes.group_by("center_id", "rule_id", "outcome")
        .agg(pl.len().cast(pl.Int64).alias("n"))
        .with_columns(load_id=pl.lit(load_id, pl.Int32))
        .select(COUNTS.names())
        .sort(COUNTS.names())
    )
