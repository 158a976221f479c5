"""The load log: the truth about what was loaded and published, kept in the vault.

`vault/log/loads.jsonl` holds one JSON object a line, appended and flushed to the disk, written by the
one process that holds the study's lock. A load is three lines: `start`, `deliveries` (what became of
each), `end`. A load without `end` was interrupted; whether it had been published tells the published
file itself (`LoadLog.settle`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from schemas.errors import StudyError
from warehouse.load_events import append_event, read_events
from warehouse.paths import StudyPaths

PUBLISHED = "published"
NO_ID = "-"  # of what could not be taken from the inbox; no hash of files is written so


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What became of one delivery in one load.

    `outcome` is `loaded`, `failed` or `held`; `mode` is the center's (`snapshot` or `append`);
    `staged` the staged folder, relative to the study folder with /; `message` holds no values.
    What could not be taken from the inbox has the id `NO_ID`, and no date where none is known.
    """

    center_id: str
    delivery_id: str
    received_on: dt.date | None
    sequence: int
    spec_hash: str
    code_hash: str
    outcome: str
    mode: str = "snapshot"
    staged: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """One load. `outcome`: running, published, unchanged, stopped, failed, interrupted."""

    load_id: int
    started_at: dt.datetime
    study_hash: str
    versions: Mapping[str, str]
    deliveries: tuple[DeliveryOutcome, ...] = ()
    outcome: str = "running"
    ended_at: dt.datetime | None = None
    content_hash: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class StagedDelivery:
    """A staged folder that a warehouse is built from. `current`: its rows stand in `core`."""

    center_id: str
    delivery_id: str
    folder: Path
    received_on: dt.date
    sequence: int
    load_id: int
    mode: str
    current: bool


class LoadLog:
    """The loads of a study, oldest first; writes are for the holder of the study's lock."""

    def __init__(self, study_folder: Path, loads: Sequence[Load], notes: Sequence[str]) -> None:
        self.folder = study_folder
        self.loads = list(loads)
        self.notes = list(notes)

    @classmethod
    def read(cls, study_folder: Path) -> LoadLog:
        """The log of a study; a study without one has no loads.

        A last line that a crash cut off is left out and named in `notes`.

        Raises:
            StudyError: A line inside the log is damaged.
        """
        path = StudyPaths(study_folder).load_log
        log = cls(study_folder, [], [])
        if path.is_file():
            events, log.notes = read_events(path)
            for event in events:
                log._apply(event)
        return log

    def start(self, study_hash: str, versions: Mapping[str, str]) -> int:
        """Open a load; its id is one more than the highest so far, whatever the clock says."""
        load_id = max((load.load_id for load in self.loads), default=0) + 1
        self._append(
            {
                "event": "start",
                "load_id": load_id,
                "at": _now(),
                "study_hash": study_hash,
                "versions": dict(versions),
            }
        )
        return load_id

    def record(self, load_id: int, deliveries: Sequence[DeliveryOutcome]) -> None:
        """Write down what became of each delivery, before anything is published."""
        lines = [
            {**asdict(d), "received_on": d.received_on.isoformat() if d.received_on else None}
            for d in deliveries
        ]
        self._append({"event": "deliveries", "load_id": load_id, "deliveries": lines})

    def finish(
        self, load_id: int, outcome: str, *, content_hash: str | None = None, message: str = ""
    ) -> None:
        """Close a load. Only `published` makes its deliveries count as loaded."""
        self._append(
            {
                "event": "end",
                "load_id": load_id,
                "at": _now(),
                "outcome": outcome,
                "content_hash": content_hash,
                "message": message,
            }
        )

    def settle(self, published_load_id: int | None) -> list[int]:
        """Close loads that a crash left open, and give their ids.

        Args:
            published_load_id: The load that the published file holds (`connect.published_load`).
        """
        open_loads = [load.load_id for load in self.loads if load.outcome == "running"]
        for load_id in open_loads:
            done = load_id == published_load_id
            self.finish(load_id, PUBLISHED if done else "interrupted", message="ended by a crash")
        return open_loads

    def load(self, load_id: int) -> Load:
        """The load of that id.

        Raises:
            StudyError: There is none.
        """
        for load in self.loads:
            if load.load_id == load_id:
                return load
        known = ", ".join(str(load.load_id) for load in self.loads[-10:]) or "none"
        raise StudyError(
            f"There is no load {load_id}; the newest are: {known}.", fix="name one of them"
        )

    def is_known(self, center_id: str, delivery_id: str, spec_hash: str, code_hash: str) -> bool:
        """Whether this delivery was loaded and published as this spec and this code read it."""
        last = self.last_outcome(center_id, delivery_id, published_only=True)
        return (
            last is not None
            and last.outcome == "loaded"
            and (last.spec_hash, last.code_hash) == (spec_hash, code_hash)
        )

    def last_outcome(
        self, center_id: str, delivery_id: str, *, published_only: bool = False
    ) -> DeliveryOutcome | None:
        """What became of a delivery the last time that it was processed."""
        for load in reversed(self.loads):
            if published_only and load.outcome != PUBLISHED:
                continue
            for delivery in load.deliveries:
                if (delivery.center_id, delivery.delivery_id) == (center_id, delivery_id):
                    return delivery
        return None

    def current(self, center_id: str, *, including: int | None = None) -> list[StagedDelivery]:
        """The deliveries of a center whose rows stand in `core`: its last good state."""
        return [
            staged
            for staged in self.history(including=including)
            if staged.center_id == center_id and staged.current
        ]

    def history(self, *, including: int | None = None) -> list[StagedDelivery]:
        """All loaded deliveries by center, date, sequence and load; the current ones are marked.

        Args:
            including: The id of a running load whose deliveries count as loaded.
        """
        by_folder: dict[Path, tuple[Load, DeliveryOutcome, dt.date]] = {}
        for load in self.loads:
            if load.outcome != PUBLISHED and load.load_id != including:
                continue
            for delivery in load.deliveries:
                day = delivery.received_on
                if delivery.outcome == "loaded" and delivery.staged and day:
                    # A folder that was staged anew holds what its last load read.
                    by_folder[self.folder / delivery.staged] = (load, delivery, day)
        rows = [
            StagedDelivery(
                d.center_id,
                d.delivery_id,
                folder,
                day,
                d.sequence,
                load.load_id,
                d.mode,
                current=False,
            )
            for folder, (load, d, day) in by_folder.items()
        ]
        rows.sort(key=lambda s: (s.center_id, s.received_on, s.sequence, s.load_id, s.delivery_id))
        chosen = _current_folders(rows)
        return [replace(row, current=row.folder in chosen) for row in rows]

    def _append(self, event: Mapping[str, Any]) -> None:
        append_event(StudyPaths(self.folder).load_log, event)
        self._apply(json.loads(json.dumps(event)))

    def _apply(self, event: Mapping[str, Any]) -> None:
        kind = event["event"]
        if kind == "start":
            self.loads.append(
                Load(event["load_id"], _time(event["at"]), event["study_hash"], event["versions"])
            )
        elif kind == "deliveries":
            outcomes = tuple(
                DeliveryOutcome(**{**d, "received_on": _date(d["received_on"])})
                for d in event["deliveries"]
            )
            load = self.load(event["load_id"])
            self._put(replace(load, deliveries=load.deliveries + outcomes))
        elif kind == "end":
            self._put(
                replace(
                    self.load(event["load_id"]),
                    outcome=event["outcome"],
                    ended_at=_time(event["at"]),
                    content_hash=event["content_hash"],
                    message=event["message"],
                )
            )

    def _put(self, load: Load) -> None:
        index = next(i for i, old in enumerate(self.loads) if old.load_id == load.load_id)
        self.loads[index] = load


def _current_folders(rows: Sequence[StagedDelivery]) -> set[Path]:
    """Folders in force: a snapshot center's newest delivery, all deliveries of an append center."""
    chosen: dict[tuple[str, ...], Path] = {}
    modes = {row.center_id: row.mode for row in sorted(rows, key=lambda row: row.load_id)}
    for row in rows:  # in order of center, date, sequence, load: the last one stays
        adds = modes[row.center_id] == "append"
        key = (row.center_id, row.delivery_id) if adds else (row.center_id,)
        chosen[key] = row.folder
    return set(chosen.values())


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
