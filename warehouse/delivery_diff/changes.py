"""What differs between two deliveries of a center: patients, records, values and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from schemas.catalog import Catalog, Table
from schemas.query_frames import CHANGE
from warehouse.delivery_diff.asked import CELL, Asked, mark_asked
from warehouse.delivery_diff.columns import apart, column_changes, headers
from warehouse.delivery_diff.pairing import pair_rows
from warehouse.delivery_diff.pairs import Sides
from warehouse.delivery_diff.rows import batches, places, read_rows
from warehouse.delivery_diff.values import changed_values, instance_text, record_text

PATIENT, RECORD, VALUE, COLUMN = "patient", "record", "value", "column"
ADDED, CHANGED, REMOVED = "added", "changed", "removed"
# CHANGE before it is known who asked, with what leads to the row after it: `row_id`, `source_id`.
# `partner`: the two ends of a record that moved to another patient id. Of level column, `before` and
# `after` hold the headers. `cell`: where the row of a value stood before.
DIFF = pl.Schema(
    {
        **{name: kind for name, kind in CHANGE.items() if name not in ("asked", "query_id")},
        "row_id": pl.Int64(),
        "source_id": pl.Int32(),
        "partner": pl.String(),
        "cell": CELL,
    }
)
_WHO = ["center_id", "patient_id"]
_MANY = 100_000  # rows of which it pays to keep the distinct ones only


@dataclass(frozen=True, slots=True)
class Difference:
    """Of all centers at once.

    `diff`: DIFF. `subjects`: center_id, patient_id, row_id of the patients of the new deliveries.
    `known_before`: table, column → `center_id`, `n` rows with a value before, of the watched columns.
    """

    diff: pl.DataFrame
    subjects: pl.DataFrame
    known_before: dict[tuple[str, str], pl.DataFrame]


def delivery_changes(
    before: Path | Sequence[Path],
    after: Path | Sequence[Path],
    catalog: Catalog,
    asked: pl.DataFrame | None = None,
    *,
    center_id: str | None = None,
) -> pl.DataFrame:
    """CHANGE: what differs between two states of one center.

    Args:
        before: Staged folder; several, oldest first, of a center that adds to what it sent.
        after: Staged folders of the new state.
        catalog: Canonical tables.
        asked: QUERY as it was when the new delivery came; None: nobody asked.
        center_id: Default: the name of the folder above.
    """
    sides = [
        Sides(
            center_id or _listed(after)[0].parent.name,
            tuple(_listed(before)),
            tuple(_listed(after)),
        )
    ]
    found = differences(sides, catalog)
    return with_asked(found, sides, catalog, asked).select(CHANGE.names())


def _listed(folders: Path | Sequence[Path]) -> list[Path]:
    return [folders] if isinstance(folders, Path) else list(folders)


def differences(
    sides: Sequence[Sides], catalog: Catalog, watched: Sequence[tuple[str, str]] = ()
) -> Difference:
    """What differs in every center, all centers in one go per table.

    Args:
        sides: One per center.
        catalog: Canonical tables.
        watched: Tables and columns of which the values before are counted.
    """
    columns = column_changes(headers(sides, after=False), headers(sides, after=True), catalog)
    frames = [pl.DataFrame(schema=DIFF), _columns(columns)]
    patients: list[list[pl.DataFrame]] = [[], []]
    subjects: list[pl.DataFrame] = []
    known: dict[tuple[str, str], list[pl.DataFrame]] = {pair: [] for pair in watched}
    for table in catalog.tables.values():
        for some in batches(sides, table):
            before, after = (read_rows(some, table, after=side) for side in (False, True))
            for kept, rows in zip(patients, (before, after), strict=True):
                kept.append(_people(rows))
            if table.name == "subject":
                subjects.append(after.select(*_WHO, "row_id"))
            for name, column in watched:
                if name == table.name:
                    there = before.filter(pl.col(column).is_not_null())
                    known[name, column].append(there.group_by("center_id").agg(n=pl.len()))
            if before.height or after.height:  # many a table is sent by no center
                frames += _of_table(before, after, table, columns)
    frames += _patients(*(pl.concat(kept, rechunk=True).unique() for kept in patients))
    return Difference(
        pl.concat(frames, rechunk=True),
        pl.concat(subjects, rechunk=True),
        {pair: pl.concat(counts, rechunk=True) for pair, counts in known.items()},
    )


def _people(rows: pl.DataFrame) -> pl.DataFrame:
    people = rows.select(_WHO)
    return people.unique() if people.height > _MANY else people


def _of_table(
    before: pl.DataFrame, after: pl.DataFrame, table: Table, columns: pl.DataFrame
) -> list[pl.DataFrame]:
    found = pair_rows(before, after, table)
    values = changed_values(
        before, after, found.same, table, apart(columns, table.name, before, after)
    )
    removed, added = found.removed, found.added
    if found.moved.height:
        partner = pl.format("{} {}", pl.lit(table.name), pl.int_range(pl.len()))
        moved = found.moved.with_columns(partner=partner)
        removed = removed.join(moved, on="b", how="left")
        added = added.join(moved, on="a", how="left")
    return [
        _values(before, after, values, table),
        _records(before, removed, "b", table),
        _records(after, added, "a", table),
    ]


def _values(
    before: pl.DataFrame, after: pl.DataFrame, values: pl.DataFrame, table: Table
) -> pl.DataFrame:
    """Values that differ; patient and record as they were before."""
    if values.is_empty():
        return pl.DataFrame(schema=DIFF)
    cell = pl.struct(
        pl.col("source_id").alias("cell_source"),
        pl.col("source_row").alias("cell_row"),
        pl.col("map_id").alias("cell_map"),
    ).alias("cell")
    where = before[values["b"]].select(*_WHO, instance_text(table), cell)
    there = after[values["a"]].select("row_id", "source_id")
    kind = (
        pl.when(pl.col("before").is_null())
        .then(pl.lit(ADDED))
        .when(pl.col("after").is_null())
        .then(pl.lit(REMOVED))
        .otherwise(pl.lit(CHANGED))
    )
    return pl.concat([where, there, values], how="horizontal").select(
        *_WHO,
        pl.lit(table.name).alias("table"),
        "instance",
        pl.lit(VALUE).alias("level"),
        kind.alias("change"),
        "column",
        "before",
        "after",
        "row_id",
        "source_id",
        pl.lit(None, pl.String).alias("partner"),
        "cell",
    )


def _records(rows: pl.DataFrame, chosen: pl.DataFrame, index: str, table: Table) -> pl.DataFrame:
    """Records that are on one side only."""
    if chosen.is_empty():
        return pl.DataFrame(schema=DIFF)
    removed = index == "b"
    there = rows[chosen[index]]
    nothing = pl.lit(None, pl.String)
    partner = chosen["partner"] if "partner" in chosen.columns else nothing.alias("partner")
    return there.select(
        *_WHO,
        pl.lit(table.name).alias("table"),
        instance_text(table),
        pl.lit(RECORD).alias("level"),
        pl.lit(REMOVED if removed else ADDED).alias("change"),
        nothing.alias("column"),
        (record_text(table) if removed else nothing).alias("before"),
        (nothing if removed else record_text(table)).alias("after"),
        (pl.lit(None, pl.Int64) if removed else pl.col("row_id")).alias("row_id"),
        (pl.lit(None, pl.Int32) if removed else pl.col("source_id")).alias("source_id"),
        partner,
        pl.lit(None, DIFF["cell"]).alias("cell"),
    )


def _patients(before: pl.DataFrame, after: pl.DataFrame) -> list[pl.DataFrame]:
    frames = []
    for one, other, change in ((after, before, ADDED), (before, after, REMOVED)):
        only = one.join(other, on=_WHO, how="anti")
        frames.append(_filled(only.with_columns(level=pl.lit(PATIENT), change=pl.lit(change))))
    return frames


def _columns(columns: pl.DataFrame) -> pl.DataFrame:
    gone = pl.col("change") == REMOVED
    return _filled(
        columns.with_columns(
            level=pl.lit(COLUMN),
            before=pl.when(gone).then("source_column"),
            after=pl.when(~gone).then("source_column"),
        )
    )


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(None, kind).alias(name)
        for name, kind in DIFF.items()
    )


def with_asked(
    found: Difference,
    sides: Sequence[Sides],
    catalog: Catalog,
    queries: pl.DataFrame | None,
    centers: Sequence[str] | None = None,
) -> pl.DataFrame:
    """DIFF with `asked` and `query_id` (ids joined by a blank).

    Args:
        found: The differences.
        sides: Their folders.
        catalog: Canonical tables and rules.
        queries: QUERY as it was when the deliveries came.
        centers: Only these; default all.
    """
    diff = found.diff
    if centers is not None:
        diff = diff.filter(pl.col("center_id").is_in(centers))
    return mark_asked(
        diff,
        queries,
        Asked(catalog, lambda: headers(sides, after=False), lambda: places(sides)),
    )
