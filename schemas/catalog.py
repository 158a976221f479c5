"""The canonical tables and codelists as plain data, without importing pandera.

Importing pandera costs more CPU than a whole run of the study, so the pandera models
(`schemas/tables`) are compiled once, in a child process, to a JSON file in the user's cache, keyed by
a hash of their source and of the library versions. A run reads that file.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import CarmonyError
from schemas.staging import IDENTITY

HERE = Path(__file__).parent
# Tables that come in batches of bounded size; all others are small and come whole.
STREAMING = ("response", "lab")
PRECISIONS = pl.Enum(["day", "month", "year"])
COMPARATORS = pl.Enum(["<", "<=", ">", ">=", "~"])
_DTYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "code": pl.String(),
    "flag": pl.String(),
    "integer": pl.Int32(),
    "number": pl.Float64(),
    "date": pl.Date(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column of a canonical table."""

    name: str
    kind: str
    label: str
    unit: str | None = None
    codelist: str | None = None
    required: bool = False
    ge: float | None = None
    le: float | None = None
    source: str | None = None
    private: bool = False  # judged, and kept in the vault: no column of the warehouse
    codes: tuple[str, ...] = field(default=(), compare=False)  # of the codelist

    @property
    def dtype(self) -> pl.DataType:
        """Polars type of the column in canonical frames."""
        return _DTYPES[self.kind]

    @property
    def companions(self) -> tuple[str, ...]:
        """Columns that travel beside this one: precision, or comparator and reported unit."""
        if self.kind == "date":
            return (f"{self.name}_precision",)
        if self.kind == "number":
            return (f"{self.name}_comparator", f"{self.name}_unit")
        return ()


@dataclass(frozen=True)
class Table:
    """One canonical table."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    instance: tuple[str, ...] = ()  # what tells the rows of a patient apart: the key, or nearly one

    def column(self, name: str) -> Column:
        """The declared column of that name; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def home(self, name: str) -> str:
        """The declared column that a companion belongs to; any other name itself."""
        return self._homes.get(name, name)

    @cached_property
    def _homes(self) -> Mapping[str, str]:
        """Of each companion the declared column that it belongs to."""
        return {name: column.name for column in self.columns for name in column.companions}

    @cached_property
    def frame_schema(self) -> pl.Schema:
        """Columns of a canonical frame in order: identity, then each column with its companions.

        In streaming tables, which may have millions of rows, codes are Enum: a byte for a text.
        """
        streams = self.name in STREAMING
        fields: dict[str, pl.DataType] = dict(IDENTITY)
        if streams:
            fields["center_id"] = pl.Categorical()
        for column in self.columns:
            fields[column.name] = column.dtype
            if streams and column.codes:
                fields[column.name] = pl.Enum(column.codes)
            for name in column.companions:
                fields[name] = _companion(name) if streams else pl.String()
        return pl.Schema(fields)


def _companion(name: str) -> pl.DataType:
    if name.endswith("_precision"):
        return PRECISIONS
    return COMPARATORS if name.endswith("_comparator") else pl.Categorical()


@dataclass(frozen=True, slots=True)
class Catalog:
    """All canonical tables in load order, and the codelists."""

    tables: Mapping[str, Table]
    codelists: Mapping[str, Mapping[str, str]]
    compiled: Mapping[str, Any]
    fingerprint: str


def fingerprint() -> str:
    """Hash of everything that the compiled file rests on."""
    digest = hashlib.sha256()
    for path in sorted(
        [*HERE.glob("*.py"), *HERE.glob("tables/*.py"), *HERE.glob("rules/*"), *HERE.glob("*.csv")]
    ):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for package in ("polars", "pandera"):
        digest.update(f"{package}={metadata.version(package)}".encode())
    return digest.hexdigest()[:24]


def read_codelists() -> dict[str, dict[str, str]]:
    """Codelist name → code → label, in the order of `codelists.csv`."""
    lists: dict[str, dict[str, str]] = {}
    with (HERE / "codelists.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lists.setdefault(row["codelist"], {})[row["code"]] = row["label"]
    return lists


def cache_folder() -> Path:
    """Where compiled declarations are kept; holds no data of patients."""
    root = os.environ.get("CARMONY_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "carmony"


@cache
def load_catalog() -> Catalog:
    """The compiled catalog; compiles it in a child process if the declarations changed."""
    mark = fingerprint()
    content = _content(f"catalog-{mark}.json")
    codelists = read_codelists()
    tables = tables_of(content["tables"], codelists)
    return Catalog(tables, codelists, content.get("compiled", {}), mark)


def tables_of(
    described: Sequence[Mapping[str, Any]], codelists: Mapping[str, Mapping[str, str]]
) -> dict[str, Table]:
    """The tables as `schemas.compile.describe` tells them, with the codes of their columns."""
    return {
        entry["name"]: Table(
            entry["name"],
            entry["description"],
            tuple(entry["key"]),
            tuple(
                Column(**column, codes=tuple(codelists.get(column.get("codelist") or "", ())))
                for column in entry["columns"]
            ),
            tuple(entry["instance"]),
        )
        for entry in described
    }


def _content(name: str) -> Any:
    """The compiled file from the cache; where no cache can be written, from a temporary folder."""
    cached = cache_folder() / name
    try:
        return json.loads(cached.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        pass
    if _can_write(cached.parent):
        _compile_in_child(cached)
        return json.loads(cached.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="carmony-") as folder:
        path = Path(folder) / name
        _compile_in_child(path)
        return json.loads(path.read_text(encoding="utf-8"))


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _compile_in_child(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "schemas.compile", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parent,
    )
    if done.returncode != 0:
        raise CarmonyError(
            "The canonical tables or rules could not be compiled:\n" + done.stderr[-2000:],
            fix="correct the declaration in schemas/tables or schemas/rules that the message names",
        )
