"""A small delivery written to disk, and what mapping makes of it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.catalog import load_catalog
from schemas.delivery import read_delivery
from schemas.spec import load_spec
from transforms.harmonize import Mapping, plan_delivery

HEAD = "center: {id: XX01, name: Test center, country: DE}\n"


@dataclass
class Mapped:
    """All that mapping gave: tables whole."""

    frames: dict[str, pl.DataFrame]
    raws: dict[str, pl.DataFrame]
    found: pl.DataFrame  # table, index, column, rule_id, severity, note
    mapping: Mapping
    heights: dict[str, list[int]]
    addresses: pl.DataFrame

    def values(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        return self.frames[table].select(columns).rows()

    def rules(self, table: str | None = None) -> list[tuple[str, int, str, str]]:
        found = self.found if table is None else self.found.filter(pl.col("table") == table)
        return found.select("table", "index", "column", "rule_id").rows()

    def balance(self) -> list[tuple[Any, ...]]:
        """Ledger lines that do not add up."""
        sign = pl.when(pl.col("outcome") == "in").then("n_rows").otherwise(-pl.col("n_rows"))
        totals = self.mapping.ledger.group_by("step", "source_id", "table").agg(
            sign.sum().alias("n")
        )
        return totals.filter(pl.col("n") != 0).rows()

    def counted(self, step: str, outcome: str, reason: str | None = None) -> int:
        ledger = self.mapping.ledger.filter(
            (pl.col("step") == step)
            & (pl.col("outcome") == outcome)
            & pl.col("reason").eq_missing(pl.lit(reason))
        )
        return int(ledger["n_rows"].sum())


def run(folder: Path, spec: str, batch_rows: int = 250_000) -> Mapped:
    """Maps the delivery `folder/in` by a spec; its text may leave out the center."""
    named = re.search(r"center: \{id: (\w+)", spec)
    center = named.group(1) if named else "XX01"
    path = folder / f"{center}.yaml"
    path.write_text(spec if named else HEAD + spec, encoding="utf-8")
    delivery = read_delivery(center, folder / "in", dt.date(2024, 6, 14))
    mapping = Mapping(plan_delivery(load_spec(path), delivery, load_catalog(), batch_rows))
    parts: dict[str, list[Any]] = {}
    for batch in mapping.batches():
        parts.setdefault(batch.table, []).append(batch)
    found = []
    for table, batches in parts.items():
        offset = 0
        for batch in batches:
            moved = (pl.col("index").cast(pl.Int64) + offset).alias("index")
            found.append(batch.issues.with_columns(moved, pl.lit(table).alias("table")))
            offset += batch.frame.height
    empty = pl.DataFrame(
        schema=dict.fromkeys(("table", "column", "rule_id", "severity", "note"), pl.String)
    ).with_columns(index=pl.lit(None, pl.Int64))
    return Mapped(
        {table: pl.concat([b.frame for b in batches]) for table, batches in parts.items()},
        {
            table: pl.concat([b.raw for b in batches], how="diagonal")
            for table, batches in parts.items()
        },
        pl.concat(found).sort("table", "index", "column") if found else empty,
        mapping,
        {table: [b.frame.height for b in batches] for table, batches in parts.items()},
        pl.concat([b.address for batches in parts.values() for b in batches])
        if parts
        else pl.DataFrame(),
    )


@pytest.fixture
def deliver(tmp_path: Path) -> Callable[..., Mapped]:
    """`deliver(spec, **files)`: writes files (`name__csv=` is `name.csv`) and maps them."""

    def go(spec: str, *, batch_rows: int = 250_000, **files: str | bytes) -> Mapped:
        (tmp_path / "in").mkdir(exist_ok=True)
        for name, content in files.items():
            path = tmp_path / "in" / name.replace("__", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return run(tmp_path, spec, batch_rows)

    return go


@pytest.fixture
def map_folder(tmp_path: Path) -> Callable[..., Mapped]:
    """`map_folder(spec)`: maps what a test has written to `tmp_path/in`."""
    return lambda spec, **options: run(tmp_path, spec, **options)
