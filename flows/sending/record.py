"""Which packets were brought to their centers, in the vault's log: nothing goes out twice.

One JSON line per try, written after the other side has taken the packet. A crash between the two is met
by the receiving side where it can be: a file that is there already is not written again.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import Any

from flows.folder import StudyFolder

FILE = "packets.jsonl"
DELIVERED, FAILED = "delivered", "failed"


def delivered(folder: StudyFolder) -> set[tuple[str, str]]:
    """Center and name of every packet that its center has."""
    return {
        (str(entry.get("center_id")), str(entry.get("packet")))
        for entry in tries(folder)
        if entry.get("state") == DELIVERED
    }


def tries(folder: StudyFolder) -> list[dict[str, Any]]:
    """Every try so far, oldest first; a line that a crash cut short is no try."""
    try:
        lines = (folder.logs / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found


def note(folder: StudyFolder, center_id: str, packet: str, method: str, state: str) -> None:
    """Adds a try; on the disk when this returns."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    entry = {
        "at": now,
        "center_id": center_id,
        "packet": packet,
        "method": method,
        "state": state,
    }
    handle = os.open(folder.logs / FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, (("\n" if cut else "") + json.dumps(entry) + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)
