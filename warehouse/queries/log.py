"""The log of queries in the vault: append-only Parquet parts, one per transaction.

`vault/queries/000007-import.parquet`: what people did counts at once. `000008-load-12.parquet`: what
load 12 found counts once that load is published, as the load log says; a part of a load that was
stopped or killed stays where it is and counts for nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import polars as pl

from schemas.errors import StudyError
from schemas.query_frames import QUERY_EVENT
from warehouse.loads import PUBLISHED, LoadLog
from warehouse.paths import StudyPaths, private_folder, replace_durably
from warehouse.queries.fold import fold

COUNTS = pl.Schema(
    {
        "load_id": pl.Int32(),
        "center_id": pl.String(),
        "rule_id": pl.String(),
        "outcome": pl.String(),
        "n": pl.Int64(),
    }
)
_PART = re.compile(r"(\d{6})-(load-(\d+)|[a-z]+)\.parquet")
SEND = "send"  # changes nothing that is published
_LATER = ("known",)  # columns that parts of older programs lack
_KEPT = {"compression": "zstd", "statistics": False}


class QueryLog:
    """All events that count, and the state of every query folded from them."""

    def __init__(self, study_folder: Path, published: frozenset[int]) -> None:
        self._folder = StudyPaths(study_folder).queries
        self._published = published

    @classmethod
    def read(cls, study_folder: Path, *, including: int | None = None) -> QueryLog:
        """The log of a study; one without queries is empty.

        Args:
            study_folder: The study.
            including: A running load whose part counts already.
        """
        loads = LoadLog.read(study_folder).loads
        done = {load.load_id for load in loads if load.outcome == PUBLISHED}
        return cls(study_folder, frozenset(done | ({including} if including else set())))

    @cached_property
    def events(self) -> pl.DataFrame:
        """QUERY_EVENT in the order in which they happened.

        Raises:
            StudyError: A part cannot be read.
        """
        frames = [_read(path) for path in self._counting()]
        return pl.concat(frames) if frames else pl.DataFrame(schema=QUERY_EVENT)

    @cached_property
    def queries(self) -> pl.DataFrame:
        """QUERY: the state of every query now."""
        return fold(self.events)

    @property
    def marks(self) -> list[str]:
        """Names of the parts by which people changed what is published."""
        return [p.name for p in self._counting() if "-load-" not in p.name and SEND not in p.name]

    def unjudged_centers(self) -> frozenset[str]:
        """Centers of which the last load that counts left a query without judgement."""
        file = self._counts / f"{max(self._published, default=0):06d}.parquet"
        if not file.is_file():
            return frozenset()
        told = _read(file, COUNTS).filter(pl.col("outcome") == "not_judged")
        return frozenset(told["center_id"])

    def append(self, what: str, events: pl.DataFrame, *, load_id: int | None = None) -> int:
        """Adds a part, whole or not at all; for the holder of the study's lock.

        Args:
            what: One word of small letters (`release`, `send`, `import`, `close`); of a load `load`.
            events: As `transitions` and `reconcile` give them; `part` and `position` are set here.
            load_id: Of a load.

        Returns:
            The number of the part.
        """
        number = max((int(m[1]) for _, m in self._parts()), default=0) + 1
        label = what if load_id is None else f"load-{load_id}"
        part = (
            events.select(
                pl.lit(number, pl.Int64).alias("part"),
                pl.int_range(pl.len(), dtype=pl.Int32).alias("position"),
                *(name for name in QUERY_EVENT.names()[2:] if name != "load_id"),
                pl.lit(load_id, pl.Int32).alias("load_id"),
            )
            .select(QUERY_EVENT.names())
            .cast(QUERY_EVENT)
        )
        _write(part, self._folder / f"{number:06d}-{label}.parquet")
        for made in ("events", "queries"):
            self.__dict__.pop(made, None)
        return number

    def record_load(self, load_id: int, events: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
        """Writes what a running load found: its events, if any, and COUNTS of its outcomes.

        A load that is built a second time, which was never published, replaces what it wrote.

        Returns:
            COUNTS of all loads that count, with this one.
        """
        for path, found in list(self._parts()):
            if found[3] == str(load_id) and load_id not in self._published:
                path.unlink()
        if events.height:
            self.append("load", events, load_id=load_id)
        _write(counts.select(COUNTS.names()).cast(COUNTS), self._counts / f"{load_id:06d}.parquet")
        kept = sorted({*self._published, load_id})
        files = [self._counts / f"{number:06d}.parquet" for number in kept]
        frames = [_read(path, COUNTS) for path in files if path.is_file()]
        return pl.concat([pl.DataFrame(schema=COUNTS), *frames])

    @property
    def _counts(self) -> Path:
        return self._folder / "counts"

    def _parts(self) -> Iterable[tuple[Path, re.Match[str]]]:
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.iterdir()):
            if found := _PART.fullmatch(path.name):
                yield path, found

    def _counting(self) -> list[Path]:
        numbers = [int(found[1]) for _, found in self._parts()]
        missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
        if missing:
            raise StudyError(
                f"The log of queries is not whole: part {missing[0]:06d} is missing in vault/queries.",
                fix="restore the folder from a backup; without it the state of the queries is not known",
            )
        return [p for p, m in self._parts() if m[3] is None or int(m[3]) in self._published]


def _write(frame: pl.DataFrame, path: Path) -> None:
    """The file, whole or not at all, readable by its owner alone."""
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        frame.write_parquet(file, **_KEPT)  # type: ignore[arg-type]
    replace_durably(temporary, path)


def _read(path: Path, schema: pl.Schema = QUERY_EVENT) -> pl.DataFrame:
    try:
        read = pl.read_parquet(path, glob=False)
        older = [
            pl.lit(None, schema[n]).alias(n)
            for n in _LATER
            if n in schema and n not in read.columns
        ]
        return read.with_columns(older).select(schema.names()).cast(schema)
    except (pl.exceptions.PolarsError, OSError):
        raise StudyError(
            f"The log of queries cannot be read: {path.name} in vault/queries.",
            fix="restore the file from a backup; without it the state of the queries is not known",
        ) from None
