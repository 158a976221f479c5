"""The queries of a running load: what it found, written to the log; it counts once the load is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from schemas.catalog import Catalog
from schemas.spec.study import Study
from warehouse.loads import LoadLog, StagedDelivery
from warehouse.pseudonyms import Pseudonymizer
from warehouse.queries.corrected import told_corrections
from warehouse.queries.facts import Facts, facts_of, key, records_of
from warehouse.queries.fold import live
from warehouse.queries.log import COUNTS, QueryLog
from warehouse.queries.reconcile import Seen, reconcile


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
    rules: Iterable[str],
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
        rules: Ids of the rules there are.
        catalog: Canonical tables.
        staged: All deliveries as this load sees them (`LoadLog.history(including=load_id)`).
        ran: center_id, rule_id, ran: whether a rule could be judged in a delivery in force.
        at: Now.
    """
    log = QueryLog.read(study_folder)
    pseudonyms = Pseudonymizer.of_study(study_folder, study.id)
    numbered = [(n, delivery) for n, delivery in enumerate(staged, start=1) if delivery.current]
    now = [delivery for _, delivery in numbered]
    before = [d for d in LoadLog.read(study_folder).history() if d.current]
    found = facts_of(study_folder, numbered, catalog, pseudonyms.key_for("values of queries"))
    doubtful = live(log.queries).with_columns(key())
    doubtful = doubtful.join(found.facts.with_columns(key()), on="key", how="anti")
    known = {(d.center_id, d.delivery_id) for d in before}
    seen = Seen(
        facts=found.facts,
        now=records_of(now, catalog, doubtful),
        before=records_of(before, catalog, doubtful),
        ran=ran,
        rules=frozenset(rules),
        fresh=frozenset(d.center_id for d in now if (d.center_id, d.delivery_id) not in known),
        at_once=study.queries.release == "at_once",
        key=pseudonyms.key_for("ids of queries"),
    )
    events, outcomes = reconcile(log.queries, seen, at or dt.datetime.now(dt.UTC))
    events = told_corrections(events, log.queries, now, catalog)
    counts = log.record_load(load_id, events, _counted(outcomes, load_id))
    return LoadQueries(QueryLog.read(study_folder, including=load_id), outcomes, counts, found)


def _counted(outcomes: pl.DataFrame, load_id: int) -> pl.DataFrame:
    return (
        outcomes.group_by("center_id", "rule_id", "outcome")
        .agg(pl.len().cast(pl.Int64).alias("n"))
        .with_columns(load_id=pl.lit(load_id, pl.Int32))
        .select(COUNTS.names())
        .sort(COUNTS.names())
    )
