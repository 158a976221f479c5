"""Breaks of the audit trail: entries or a load log that are not those that the head and the last entry tell of.

A break is entered in the trail itself, by the next command that adds an entry: with the head as it stood, so that an
old copy of it can still be compared, and with its tombstones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.paths import StudyPaths

HEAD = "trail.json"
_AWAY = ".quality.old"  # where the folder stands for a moment while it is replaced
_SHOWN = 12  # characters of a hash


def head_file(study_folder: Path) -> Path:
    """Where number and hash of the last entry are kept outside the vault."""
    return StudyPaths(study_folder).published / "quality" / HEAD


def due_file(study_folder: Path) -> Path:
    """Stands while the first entry of a study's trail is to come (`trail.expect`)."""
    return StudyPaths(study_folder).vault / "log" / "trail.due"


def lost(study_folder: Path, entries: list[dict[str, Any]]) -> bool:
    """Whether the trail is gone: nothing stands in it, although loads were published."""
    if any(entries) or due_file(study_folder).is_file():
        return False
    path = StudyPaths(study_folder).load_log
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []
    return any(parsed(line).get("outcome") == "published" for line in lines)


def kept_head(study_folder: Path) -> str | None:
    """The text of the head; None if there is none."""
    path = head_file(study_folder)
    for place in (path, path.parents[1] / _AWAY / HEAD):
        try:
            return place.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            continue
    return None


def break_of(study_folder: Path, entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What an entry has to tell of a break before it.

    Entries that go on behind the one of the head are no break: a command was killed before it could move the head.

    Args:
        study_folder: The study.
        entries: Those that stand in the trail, oldest first.

    Returns:
        `expected` (the head as it stood), `found` (number and hash of the last entry) and `withdrawn` (tombstones of
        the head); None if the trail is what the head was made of, and the load log what was sealed.
    """
    last = entries[-1] if entries else {}
    found = {"n": last.get("n", 0), "hash": last.get("hash")}
    text = kept_head(study_folder)
    if text is None:
        if any(entry.get("head") for entry in entries) or lost(study_folder, entries):
            return {"expected": None, "found": found}
    else:
        head = parsed(text)
        expected = {"n": head.get("n"), "hash": head.get("hash")}
        if not any(_same(entry, expected) for entry in entries):
            marks = {center: sorted(kept) for center, kept in sorted(marks_in(head).items())}
            saved = {"withdrawn": marks} if marks else {}
            return {"expected": expected, "found": found, **saved}
    if not load_log_fits(study_folder, entries):
        return {"expected": last.get("loads"), "found": found, "of": "loads"}
    return None


def told(entry: Mapping[str, Any]) -> str:
    """What a break entry says, as a sentence; nothing for every other entry."""
    if entry.get("outcome") != "broken" or "found" not in entry:
        return ""
    expected, found = entry.get("expected"), _named(entry["found"])
    if entry.get("of") == "loads":
        return f"the load log was not what entry {found} sealed"
    if expected is None and isinstance(entry["found"], dict) and entry["found"].get("n") == 0:
        return "loads had been published, and no entry stood in it: it was removed, with its head"
    if expected is None:
        return f"its head was missing when it ended with entry {found}, so nobody can tell what was cut off"
    return f"it was to end with entry {_named(expected)}, and ended with entry {found}"


def load_log_fits(study_folder: Path, entries: list[dict[str, Any]]) -> bool:
    """Whether the load log begins with what the last entry sealed."""
    sealed = next((e["loads"] for e in reversed(entries) if e and e.get("loads")), None)
    if sealed is None:
        return True
    path = StudyPaths(study_folder).load_log
    data = path.read_bytes() if path.is_file() else b""
    try:
        size, mark = int(sealed["bytes"]), sealed["sha256"]
    except (KeyError, TypeError, ValueError):  # of an entry that was changed
        return False
    return len(data) >= size and hashlib.sha256(data[:size]).hexdigest() == mark


def marks_in(content: Mapping[str, Any]) -> dict[str, set[str]]:
    """Tombstones by center of a head, or of the entry that saves them."""
    marks = content.get("withdrawn")
    if not isinstance(marks, dict):
        return {}
    return {str(c): set(map(str, kept)) for c, kept in marks.items() if isinstance(kept, list)}


def _same(entry: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    return (entry.get("n"), entry.get("hash")) == (expected["n"], expected["hash"])


def _named(mark: Any) -> str:
    """Number and beginning of the hash of an entry."""
    if not isinstance(mark, dict) or not mark.get("hash"):
        return "0 (none)" if isinstance(mark, dict) and mark.get("n") == 0 else "? (unreadable)"
    return f"{mark.get('n')} ({str(mark['hash'])[:_SHOWN]})"


def parsed(text: str) -> dict[str, Any]:
    """The object that a line or the head holds; empty if it holds none."""
    try:
        head = json.loads(text)
    except ValueError:
        return {}
    return head if isinstance(head, dict) else {}
