"""Compares the deliveries in force with those before them, when a warehouse is built.

Makes the facts of the rules DLV (temporary tables that `study_rules` judges), fills
`quality.delivery_change`, and writes the changes with values into the vault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from schemas.catalog import Catalog
from warehouse.delivery_diff.changes import DIFF, Difference, differences, with_asked
from warehouse.delivery_diff.counts import COUNT, KEY, counted, kept_with
from warehouse.delivery_diff.detail import is_written, write_detail
from warehouse.delivery_diff.findings import WATCHED, unasked
from warehouse.delivery_diff.pairs import Pair, pairs_of
from warehouse.loads import LoadLog
from warehouse.queries.fold import fold
from warehouse.queries.log import QueryLog
from warehouse.sql_text import filled, quoted
from warehouse.staged_files import LinkedDelivery, existing, parquet

if TYPE_CHECKING:
    import duckdb

_MARKED = {**DIFF, "query_id": pl.String(), "asked": pl.Boolean()}
_FACTS = """
CREATE OR REPLACE TEMP TABLE unasked_change AS
SELECT u.rule_id, m.usubjid, u."table", u.row_id, u."column", u.understood, u.message
FROM ${rows} u JOIN id_map m USING (center_id, patient_id)
"""
_COMPARED = """
CREATE OR REPLACE TEMP TABLE delivery_compared AS SELECT * FROM ${rows}
"""
_HELD = """
CREATE OR REPLACE TEMP TABLE held_home AS
SELECT u."table", f.row_id, f.source_id + s.source_shift AS source_id, f.source_row,
  f.map_id + s.map_shift AS map_id
FROM (${rows}) f
JOIN (SELECT DISTINCT "table", row_id FROM unasked_change) u USING ("table", row_id)
JOIN delivery_shift s ON s.link = f.link
"""


def compare_deliveries(
    con: duckdb.DuckDBPyConnection,
    log: LoadLog,
    load_id: int,
    catalog: Catalog,
    deliveries: Sequence[LinkedDelivery],
) -> None:
    """The difference between deliveries, for all centers; before the rules on the whole study are judged.

    Needs temporary tables `id_map` and `delivery_shift`.

    Args:
        con: The warehouse that is built.
        log: The load log.
        load_id: The running load.
        catalog: Canonical tables.
        deliveries: All loaded deliveries.
    """
    pairs = pairs_of([d.staged for d in deliveries], log, load_id)
    scratch = deliveries[0].link.parent
    if pairs:
        found = differences(
            [p.sides for p in pairs], catalog, [(w.table, w.column) for w in WATCHED]
        )
        diff = _marked(found, pairs, log, catalog)
        numbers = _numbers(deliveries)
        keys = pl.DataFrame(
            {
                "center_id": [p.sides.center_id for p in pairs],
                "delivery_key": [numbers[p.newest.center_id, p.newest.delivery_id] for p in pairs],
            }
        )
        current = [d for d in deliveries if d.staged.current]
        leave_facts(con, found, diff, keys, catalog, current, scratch)
        for pair in pairs:
            _write_detail(log.folder, pair, diff, load_id)
    else:
        diff = pl.DataFrame(schema=_MARKED)
    _publish(con, log.folder, diff, pairs, deliveries, scratch)


def _marked(
    found: Difference, pairs: Sequence[Pair], log: LoadLog, catalog: Catalog
) -> pl.DataFrame:
    """The differences, each with the queries that asked for it by the time when its delivery came."""
    by_load: dict[int, list[Pair]] = {}
    for pair in pairs:
        by_load.setdefault(pair.first_load, []).append(pair)
    newest = max(load.load_id for load in log.loads)
    events = QueryLog.read(log.folder, including=newest).events
    parts = []
    for load_id, mine in by_load.items():
        queries = fold(events_before(events, log, load_id)) if events.height else None
        centers = [pair.sides.center_id for pair in mine]
        parts.append(with_asked(found, [p.sides for p in mine], catalog, queries, centers))
    return pl.concat(parts, rechunk=True)


def events_before(events: pl.DataFrame, log: LoadLog, load_id: int) -> pl.DataFrame:
    """What had happened when a load began: earlier loads, and what people did before its start."""
    started = log.load(load_id).started_at
    of_load = pl.col("load_id").is_not_null()
    return events.filter(
        (of_load & (pl.col("load_id") < load_id)) | (~of_load & (pl.col("at") < started))
    )


def leave_facts(
    con: duckdb.DuckDBPyConnection,
    found: Difference,
    diff: pl.DataFrame,
    keys: pl.DataFrame,
    catalog: Catalog,
    current: Sequence[LinkedDelivery],
    scratch: Path,
) -> None:
    """Leaves what `study_rules` judges, as temporary tables.

    `unasked_change`, `held_home` (addresses of its rows that are held), and `delivery_compared`
    (delivery_key, rule_id, n values that could have changed).

    Args:
        con: The warehouse that is built.
        found: The differences.
        diff: DIFF with `asked`.
        keys: `center_id`, `delivery_key` of the deliveries that were compared.
        catalog: Canonical tables.
        current: Deliveries in force.
        scratch: Folder for files that live as long as a statement.
    """
    facts = unasked(diff, found.subjects, catalog)
    _create(con, _FACTS, facts, scratch)
    known = [
        keys.join(found.known_before[w.table, w.column], on="center_id", how="left").select(
            pl.col("delivery_key").cast(pl.Int32),
            pl.lit(w.rule_id).alias("rule_id"),
            pl.col("n").fill_null(0).cast(pl.Int64),
        )
        for w in WATCHED
    ]
    _create(con, _COMPARED, pl.concat(known), scratch)
    parts = []
    for table in facts["table"].unique().sort():
        files = existing(current, f"quarantine/{table}.parquet")
        if files:
            parts.append(
                f'SELECT {quoted(table)} AS "table", row_id, source_id, source_row, map_id, '
                f"left(filename, {len(str(current[0].link))}) AS link "
                f"FROM {parquet(files, filename=True)}"
            )
    if parts:
        con.execute(filled(_HELD, {"rows": " UNION ALL ".join(parts)})).fetchall()


def _create(
    con: duckdb.DuckDBPyConnection, statement: str, rows: pl.DataFrame, scratch: Path
) -> None:
    file = scratch / "compared.parquet"
    rows.write_parquet(file)
    con.execute(filled(statement, {"rows": parquet([file])})).fetchall()
    file.unlink()


def _numbers(deliveries: Sequence[LinkedDelivery]) -> Mapping[tuple[str, str], int]:
    """Delivery → its number in this build; of several readings, that of the last."""
    ordered = sorted(deliveries, key=lambda d: (d.staged.current, d.staged.load_id))
    return {(d.staged.center_id, d.staged.delivery_id): d.number for d in ordered}


def _write_detail(study_folder: Path, pair: Pair, diff: pl.DataFrame, load_id: int) -> None:
    """Once per delivery: what asked for a change does not change later."""
    if pair.newest.load_id == load_id or not is_written(study_folder, pair.newest):
        mine = diff.filter(pl.col("center_id") == pair.sides.center_id)
        write_detail(study_folder, pair.newest, mine)


def _publish(
    con: duckdb.DuckDBPyConnection,
    study_folder: Path,
    diff: pl.DataFrame,
    pairs: Sequence[Pair],
    deliveries: Sequence[LinkedDelivery],
    scratch: Path,
) -> None:
    """quality.delivery_change: the counts of all loaded deliveries."""
    types = {name: pl.String() for name in KEY}
    compared = pl.DataFrame(
        [(p.newest.center_id, p.newest.delivery_id) for p in pairs], types, orient="row"
    )
    fresh = counted(diff).join(compared, on="center_id")
    numbers = _numbers(deliveries)
    by_number = {d.number: d for d in deliveries}
    known = pl.DataFrame(
        [(*key, number, by_number[number].staged.load_id) for key, number in numbers.items()],
        {**types, "delivery_key": pl.Int32(), "load_id": pl.Int32()},
        orient="row",
    )
    rows = kept_with(study_folder, fresh.select(COUNT.names()), compared).join(known, on=KEY)
    columns = [
        "center_id", "load_id", "delivery_key", "table", "column", "level", "change", "asked", "n"
    ]  # fmt: skip
    file = scratch / "delivery_change.parquet"
    rows.select(columns).sort(columns).write_parquet(file)
    con.execute(f"INSERT INTO quality.delivery_change SELECT * FROM {parquet([file])}").fetchall()
    file.unlink()
