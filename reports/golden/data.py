"""The rows that a golden record was computed from."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from reports.golden.records import GoldenError, GoldenSet, Record, as_list
from reports.stats.design import level_label

# What the name of an endpoint says beyond its columns (the conventions of the golden files).
LANDMARK = re.compile(r"landmark(\d+(?:\.\d+)?)$")
POSITIVE = re.compile(r"pos$")
# How the note of a set defines a response at the landmark: `resp_lm = cr_day<=lm`.
AT_LANDMARK = re.compile(r"(\w+)\s*=\s*(\w+)\s*<=\s*(?:lm|L)\b")
CASE = "case"


@dataclass(frozen=True)
class Sample:
    """The rows of one endpoint; `levels` gives the order of each factor's levels."""

    frame: pl.DataFrame
    levels: dict[str, tuple[str, ...]]

    def complete(self, *columns: str | None) -> Sample:
        """The rows in which none of these columns is missing."""
        used = [name for name in columns if name is not None]
        return replace(self, frame=self.frame.drop_nulls(used)) if used else self

    def levels_of(self, column: str) -> list[str]:
        """The labels of a grouping that occur, in their declared order; else sorted as R sorts."""
        values = self.frame[column].drop_nulls().unique()
        if column in self.levels:
            present = set(values.to_list())
            return [level for level in self.levels[column] if level in present]
        return [level_label(value) for value in values.sort()]

    def labels(self, column: str) -> pl.Series:
        """A grouping as text."""
        values = self.frame[column]
        if values.dtype == pl.String:
            return values
        distinct = values.unique().to_list()
        return values.replace_strict(
            distinct,
            [None if v is None else level_label(v) for v in distinct],
            return_dtype=pl.String,
        )


def sample(golden: GoldenSet, record: Record) -> Sample:
    """The rows of the record's endpoint: its file, its case, its landmark, its known times.

    A patient without a time, or with a negative one, does not belong to the endpoint.

    Raises:
        GoldenError: A file of the set is not there, or no file has the columns.
    """
    endpoint = record.endpoint
    needed = {endpoint[k] for k in ("time", "event", "status", "entry", "start") if endpoint.get(k)}
    frame = _table(golden, endpoint, needed)
    if needed:
        frame = _of_endpoint(golden, endpoint, frame)
    levels = {
        name: tuple(level_label(level) for level in as_list(declared["levels"]))
        for name, declared in golden.columns.items()
        if declared.get("levels")
    }
    return Sample(frame, levels)


def _table(golden: GoldenSet, endpoint: dict[str, Any], needed: set[str]) -> pl.DataFrame:
    files = [golden.folder / endpoint["csv"]] if endpoint.get("csv") else list(golden.tables)
    absent = [file.name for file in files if not file.exists()]
    for file in files:
        if not file.exists():
            continue
        frame = _read(file, _types(golden))
        if not needed <= set(frame.columns):
            continue
        if CASE not in frame.columns or "name" not in endpoint:
            return frame
        of_case = frame.filter(pl.col(CASE) == endpoint["name"])
        if of_case.height:
            return of_case
    if absent or not files:
        told = ", ".join(absent) or "CSV of the set"
        raise GoldenError(f"there is no file {told} beside {golden.path.name}")
    raise GoldenError(f"no CSV of the set has the columns {', '.join(sorted(needed))}")


def _of_endpoint(golden: GoldenSet, endpoint: dict[str, Any], frame: pl.DataFrame) -> pl.DataFrame:
    time, name = str(endpoint["time"]), str(endpoint.get("name", ""))
    status = str(endpoint.get("event") or endpoint.get("status"))
    frame = frame.filter(pl.col(time) >= 0).drop_nulls([time, status])
    if landmark := LANDMARK.search(name):
        at = float(landmark[1])
        defined = AT_LANDMARK.findall(str(golden.meta.get("note", "")))
        frame = frame.filter(pl.col(time) > at).with_columns(
            pl.col(time) - at,
            *(
                (pl.col(day) <= at).fill_null(value=False).cast(pl.Float64).alias(new)
                for new, day in defined
            ),
        )
    elif POSITIVE.search(name):
        frame = frame.filter(pl.col(time) > 0)
    return frame


def _types(golden: GoldenSet) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(column.get("type"))) for name, column in golden.columns.items())


@lru_cache(maxsize=32)
def _read(file: Path, types: tuple[tuple[str, str], ...]) -> pl.DataFrame:
    """All columns as text, then as declared; what is not declared is a number if all its values are."""
    frame = pl.read_csv(file, infer_schema=False, null_values=["", "NA"])
    declared = dict(types)
    casts = []
    for name in frame.columns:
        kind = declared.get(name)
        if kind in ("factor", "text"):
            continue
        if kind == "logical":
            casts.append(frame[name].str.to_uppercase().is_in(["TRUE", "T", "1"]))
            continue
        number = frame[name].cast(pl.Float64, strict=False)
        if number.null_count() == frame[name].null_count():
            casts.append(number)
        elif kind in ("integer", "number"):
            raise GoldenError(f"{file.name}: column {name} is not all numbers")
    return frame.with_columns(casts)
