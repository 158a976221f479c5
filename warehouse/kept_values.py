"""Of how many patients what does not change is another than before: the audit asks (AUD-34, AUD-36).

A column of ids that is moved against the rest, or taken from the wrong place, makes rows that are each
plausible. Against the state before, sex, birth year and dates of most patients are then other ones. So are
deaths that a changed export or spec no longer tells: each of these patients may be alive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from schemas.catalog import Catalog
from warehouse.delivery_diff.pairs import Sides
from warehouse.delivery_diff.rows import batches, read_rows
from warehouse.delivery_diff.values import value_text
from warehouse.loads import LoadLog, StagedDelivery

# What a patient keeps, by table; a correction changes one of them, and of a few patients.
KEPT = {
    "subject": ("sex", "birth_year", "diagnosis_date"),
    "infusion": ("infusion_date", "product"),
}
_UNKNOWN = "U"  # the code of a sex that is not known: no other one than before
_DEATHS = "follow_up"
_WHO = ["center_id", "patient_id"]


@dataclass(frozen=True, slots=True)
class KeptValues:
    """A center: patients in both states, those changed in one value or more, in two or more, by column.

    `n_dead`: of these patients were dead before; `n_dead_gone`: of them no row tells a death now.
    `was_published`: the state before was published; else it was superseded in the same load.
    """

    center_id: str
    was_published: bool
    n_both: int
    n_changed: int
    n_twice: int
    n_dead: int
    n_dead_gone: int
    columns: dict[str, int]


def kept_values(log: LoadLog, load_id: int, catalog: Catalog) -> list[KeptValues]:
    """The counts of each center of which a load holds something new; others have none.

    Args:
        log: the load log.
        load_id: the running load.
        catalog: the canonical tables.
    """
    sides, news = sides_of(log, load_id)
    if not sides:
        return []
    both = _patients_in_both(news, catalog)
    parts = [
        _changed(some, catalog, name).join(both, on=_WHO, how="semi")
        for name in KEPT
        for some in batches(sides, catalog.tables[name])
    ]
    changed = pl.concat(parts)
    times = changed.group_by(_WHO).len("n")
    dead = pl.concat([_dead(some, catalog) for some in batches(sides, catalog.tables[_DEATHS])])
    dead = dead.join(both, on=_WHO, how="semi")
    published = {s.center_id for s in log.history() if s.current}
    return [
        _counted(one.center_id, one.center_id in published, both, changed, times, dead)
        for one in sides
    ]


def sides_of(log: LoadLog, load_id: int) -> tuple[list[Sides], list[Sides]]:
    """The state of each center with something new, against its state as published last; and what is new alone.

    Of a center that was never published, the newest delivery against the one before it in this load. Rows that a
    center adds to stay in force: they belong to its state now as well.
    """
    published = _by_center([s for s in log.history() if s.current])
    history = log.history(including=load_id)
    every = _by_center(history)
    sides, news = [], []
    for center_id, current in _by_center([s for s in history if s.current]).items():
        before = published.get(center_id) or _earlier(every[center_id], current)
        known = {s.folder for s in before}
        new = [s.folder for s in current if s.folder not in known]
        if before and new:
            then = tuple(s.folder for s in before)
            sides.append(Sides(center_id, then, tuple(s.folder for s in current)))
            news.append(Sides(center_id, then, tuple(new)))
    return sides, news


def _by_center(staged: Sequence[StagedDelivery]) -> dict[str, list[StagedDelivery]]:
    found: dict[str, list[StagedDelivery]] = {}
    for one in staged:
        found.setdefault(one.center_id, []).append(one)
    return found


def _earlier(
    mine: Sequence[StagedDelivery], current: Sequence[StagedDelivery]
) -> list[StagedDelivery]:
    """The state before the newest delivery; all of a center came in one load, oldest first."""
    if len(current) > 1:  # the center adds to what it sent
        return list(current[:-1])
    return [s for s in mine if s.delivery_id != current[-1].delivery_id][-1:]


def _patients_in_both(sides: Sequence[Sides], catalog: Catalog) -> pl.DataFrame:
    table = catalog.tables["subject"]
    parts = []
    for some in batches(sides, table):
        before, after = (
            read_rows(some, table, after=late).select(_WHO).drop_nulls().unique()
            for late in (False, True)
        )
        parts.append(before.join(after, on=_WHO))
    return pl.concat(parts)


def _changed(sides: Sequence[Sides], catalog: Catalog, name: str) -> pl.DataFrame:
    """center_id, patient_id, column: what is known before and after, and nowhere the same.

    A patient may have several rows (a second infusion, a row that is held as a repeat): one that
    says what was said before is enough.
    """
    table = catalog.tables[name]
    before, after = (read_rows(sides, table, after=late) for late in (False, True))
    found = []
    for column in (c for c in table.columns if c.name in KEPT[name]):
        said = [*_WHO, value_text(column).alias("value")]
        both = _known(before.select(said)).join(_known(after.select(said)), on=_WHO, suffix="_now")
        same = pl.col("value") == pl.col("value_now")
        if column.kind == "date":  # a day that was known by its month before is the same date
            same |= pl.col("value").str.starts_with(pl.col("value_now"))
            same |= pl.col("value_now").str.starts_with(pl.col("value"))
        found.append(
            both.group_by(_WHO)
            .agg(same.any().alias("same"))
            .filter(~pl.col("same"))
            .select(*_WHO, pl.lit(f"{name}.{column.name}").alias("column"))
        )
    return pl.concat(found)


def _dead(sides: Sequence[Sides], catalog: Catalog) -> pl.DataFrame:
    """center_id, patient_id, gone: patients of whom a row told a death before, and whether none does now."""
    table = catalog.tables[_DEATHS]
    told = (pl.col("vital_status") == "DEAD") | pl.col("death_date").is_not_null()
    before, after = (
        read_rows(sides, table, after=late).filter(told).select(_WHO).drop_nulls().unique()
        for late in (False, True)
    )
    still = after.with_columns(still=pl.lit(value=True))
    return before.join(still, on=_WHO, how="left").select(*_WHO, gone=pl.col("still").is_null())


def _known(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop_nulls().filter(pl.col("value") != _UNKNOWN).unique()


def _counted(
    center_id: str,
    was_published: bool,
    both: pl.DataFrame,
    changed: pl.DataFrame,
    times: pl.DataFrame,
    dead: pl.DataFrame,
) -> KeptValues:
    mine = pl.col("center_id") == center_id
    of_columns = (
        changed.filter(mine)
        .group_by("column")
        .len("n")
        .sort("n", "column", descending=[True, False])
    )
    return KeptValues(
        center_id,
        was_published,
        both.filter(mine).height,
        times.filter(mine).height,
        times.filter(mine, pl.col("n") > 1).height,
        dead.filter(mine).height,
        dead.filter(mine, pl.col("gone")).height,
        dict(of_columns.iter_rows()),
    )
