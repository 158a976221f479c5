"""The file of the load log: one JSON object a line, appended and flushed to the disk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import StudyError
from warehouse.paths import fsync_path, private_folder

_CUT_OFF = {"event": "note", "text": "the line above was cut off by a crash"}


def append_event(path: Path, event: Mapping[str, Any]) -> None:
    """Adds one line and waits until it is on the disk; a cut-off last line is closed before."""
    private_folder(path.parent)
    created = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        line = json.dumps(event, ensure_ascii=False) + "\n"
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = "\n" + json.dumps(_CUT_OFF) + "\n" + line
        data = memoryview(line.encode("utf-8", "backslashreplace"))
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    if created:
        fsync_path(path.parent)


def read_events(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """All events, and a note for each line that a crash cut off.

    Raises:
        StudyError: A line is no record although no crash was noted there.
    """
    events: list[dict[str, Any]] = []
    notes: list[str] = []
    torn: int | None = None
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.split("\n"), start=1):
        if not line:
            continue
        event = _parse(line)
        if torn is not None and event != _CUT_OFF:
            raise StudyError(
                f"The load log is damaged: line {torn} of '{path.name}' is no record.",
                fix="restore vault/log from a backup; never edit it by hand",
            )
        torn = None
        if event is None:
            torn = number
            notes.append(f"line {number} of the load log was cut off by a crash and is ignored")
        elif event != _CUT_OFF:
            events.append(event)
    return events, notes


def _parse(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
