"""A folder of golden records: `golden_*.json`, and the CSV files that they name."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

CURVES = "km_curve"
# What a file raises that is not of the form.
FORMS = (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error)


class GoldenError(Exception):
    """The folder does not hold golden records, or one cannot be read."""


@dataclass(frozen=True)
class Record:
    """One result of R."""

    id: str
    analysis: str
    endpoint: dict[str, Any]
    by: str | None
    args: dict[str, Any]
    scalars: dict[str, Any]
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class GoldenSet:
    """The records of one file, with what it says of its data."""

    path: Path
    meta: dict[str, Any]
    records: tuple[Record, ...] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Where the CSV files are."""
        return self.path.parent

    @property
    def columns(self) -> dict[str, dict[str, Any]]:
        """What is declared of each column: type, levels, reference."""
        declared: dict[str, dict[str, Any]] = self.meta.get("columns") or {}
        return declared

    @cached_property
    def tables(self) -> tuple[Path, ...]:
        """The CSV files of this set, the main one first; not its curves."""
        main = self.meta.get("csv")
        stem = Path(main).stem if main else str(self.meta.get("dataset"))
        named = [self.folder / main] if main else []
        further = sorted(self.folder.glob(f"{stem}_*.csv"))
        return tuple(dict.fromkeys([*named, *further]))


def read_folder(folder: Path) -> list[GoldenSet]:
    """Every golden set of a folder, in the order of their names.

    Raises:
        GoldenError: The folder holds none, or a file is not of the form.
    """
    files = sorted(folder.glob("golden_*.json"))
    if not files:
        raise GoldenError(f"{folder} holds no golden_*.json")
    return [read_set(file) for file in files]


def read_set(path: Path) -> GoldenSet:
    """One golden file, with the curves beside it.

    Raises:
        GoldenError: The file is not of the form.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        records = [_record(entry) for entry in content["results"]]
    except FORMS as error:
        raise GoldenError(f"{path.name} is not a golden file: {error!r}") from error
    curves = path.with_name(f"{path.stem}_curves.csv")
    if curves.exists():
        try:
            records.extend(_curves(curves, records))
        except FORMS as error:
            raise GoldenError(f"{curves.name} holds no curves: {error!r}") from error
    return GoldenSet(path, content.get("meta") or {}, tuple(records))


def _record(entry: dict[str, Any]) -> Record:
    return Record(
        id=str(entry["id"]),
        analysis=str(entry["analysis"]),
        endpoint=entry.get("endpoint") or {},
        by=entry.get("by"),
        args=entry.get("args") or {},
        scalars=entry.get("scalars") or {},
        rows=as_list(entry.get("rows") or []),
    )


def as_list(value: Any) -> list[Any]:
    """A list; R writes a list of one as its only element."""
    return value if isinstance(value, list) else [value]


def _curves(path: Path, records: list[Record]) -> Iterator[Record]:
    """The whole curves in `<set>_curves.csv`, one record per endpoint and grouping."""
    endpoints = {r.endpoint["name"]: r.endpoint for r in records if r.analysis.startswith("km_")}
    by_curve: dict[tuple[str, str], list[dict[str, Any]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = (row.pop("endpoint"), row.pop("by"))
            values = {name: _number(text) for name, text in row.items() if name != "stratum"}
            by_curve.setdefault(key, []).append({"stratum": row["stratum"], **values})
    for (endpoint, by), rows in by_curve.items():
        yield Record(
            id=f"{path.stem}|{endpoint}|by={by}",
            analysis=CURVES,
            endpoint=endpoints.get(endpoint, {"name": endpoint}),
            by=None if by == "all" else by,
            args={},
            scalars={},
            rows=rows,
        )


def _number(text: str) -> float | None:
    return float(text) if text not in ("", "NA") else None
