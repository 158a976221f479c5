"""Staged deliveries of a few hand-made rows, to be compared."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from schemas.catalog import load_catalog
from schemas.query_frames import QUERY
from schemas.staging import COLUMN_MAP, SOURCE
from warehouse.delivery_diff import delivery_changes

CATALOG = load_catalog()
Rows = Sequence[Mapping[str, Any]]
_PRECISIONS = {4: "year", 7: "month", 10: "day"}


def frame(table: str, rows: Rows, first_row: int = 2) -> pl.DataFrame:
    """Rows of patient `A`, unless they say otherwise; dates as text, as exact as they are known."""
    full = []
    for position, given in enumerate(rows):
        row = {"patient_id": "A", **given}
        for column in CATALOG.tables[table].columns:
            text = row.get(column.name)
            if column.kind == "date" and text is not None:
                row[column.name] = dt.date.fromisoformat((text + "-01-01")[:10])
                row[f"{column.name}_precision"] = _PRECISIONS[len(text)]
        place = {"source_id": 1, "source_row": first_row + position, "map_id": 1}
        row_id = zlib.crc32(repr((table, first_row, position, given)).encode()) + 1
        full.append({"center_id": "XX01", "row_id": row_id, **place, **row})
    return pl.DataFrame(full, schema=CATALOG.tables[table].frame_schema)


def stage(
    folder: Path,
    tables: Mapping[str, Rows],
    held: Mapping[str, Rows] | None = None,
    unmapped: Sequence[str] = (),
) -> Path:
    """A staged folder; every column of every table has a header of its own name, but `unmapped`."""
    for part, content in (("core", tables), ("quarantine", held or {})):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for table, rows in content.items():
            first = 2 if part == "core" else 500
            frame(table, rows, first).write_parquet(folder / part / f"{table}.parquet")
    mapped = [
        (1, table.name, column.name, 1, 1, f"H {table.name} {column.name}", "column")
        for table in CATALOG.tables.values()
        for column in table.columns
        if f"{table.name}.{column.name}" not in unmapped
    ]
    pl.DataFrame(mapped, schema=COLUMN_MAP, orient="row").write_parquet(
        folder / "column_map.parquet"
    )
    source = {"source_id": 1, "name": "all", "file": "export 2024.csv"}
    pl.DataFrame([source], schema=SOURCE).write_parquet(folder / "source.parquet")
    return folder


def query(**about: Any) -> dict[str, Any]:
    """An open query on patient A."""
    usual = {
        "query_id": "Q-1",
        "center_id": "XX01",
        "patient_id": "A",
        "instance": "",
        "state": "open",
    }
    about.setdefault("involved", [about["field"]])
    return {**usual, "rule_id": "XXX-01", **about}


def changes(
    folder: Path,
    before: Mapping[str, Rows],
    after: Mapping[str, Rows],
    *queries: Mapping[str, Any],
    **more: Any,
) -> pl.DataFrame:
    """CHANGE of two deliveries of center XX01."""
    one = stage(folder / "before", before, more.get("held_before"), more.get("unmapped_before", ()))
    two = stage(folder / "after", after, more.get("held_after"), more.get("unmapped_after", ()))
    asked = pl.DataFrame(list(queries), schema=QUERY) if queries else None
    return delivery_changes(one, two, CATALOG, asked, center_id="XX01")


def told(found: pl.DataFrame) -> list[tuple[Any, ...]]:
    """What changed: level, change, table, instance, column, before, after."""
    names = ("level", "change", "table", "instance", "column", "before", "after")
    return sorted(found.select(names).rows(), key=repr)
