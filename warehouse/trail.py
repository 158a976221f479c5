"""The audit trail: who ran what, in `vault/log/trail.jsonl`, each entry chained to the one before.

An entry is one JSON object a line: number, time (UTC), user, command, versions, hashes of study, specs and
deliveries, load, outcome, and how long the load log was and what it hashed to. `hash` is the SHA-256 of the entry
with the hash before it, so a change, a gap or a swap breaks the chain there. Number and hash of the last
entry, the head, stand in `published/quality/trail.json` too: a cut tail no longer fits it. Whoever adds the next entry
finds that, and enters the break first (`warehouse/trail_breaks.py`), so that no later entry hides it.

The head also holds the tombstones of patients who have withdrawn (keyed hashes): if the vault comes back from an
older backup, they are known all the same.

The chain shows changes by whoever does not rewrite all of it and the head. Who may write both folders can
do that; a copy of the head elsewhere (one line) shows this as well. Entries hold no values and no ids of patients.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from warehouse.load_events import append_event
from warehouse.paths import StudyPaths, replace_durably
from warehouse.trail_breaks import (
    HEAD,
    break_of,
    due_file,
    head_file,
    kept_head,
    load_log_fits,
    lost,
    marks_in,
    parsed,
    told,
)

_FIRST = "0" * 64
_ALSO = "loads.jsonl"  # append-only too: each entry seals what it held
_PUBLISHED = "published"


def trail_file(study_folder: Path) -> Path:
    """The trail of a study."""
    return StudyPaths(study_folder).vault / "log" / "trail.jsonl"


def note(study_folder: Path, command: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Adds an entry and moves the head; safe beside other processes.

    If the entries are not those that the head was made of, an entry that says so comes before it.

    Args:
        study_folder: The study.
        command: What was run, without ids of patients.
        facts: JSON-ready: versions, hashes, load, outcome.

    Returns:
        The entry.
    """
    path = trail_file(study_folder)
    with _alone(path):
        before = [entry for entry in _entries(path) if entry]
        if broken := break_of(study_folder, before):
            before.append(_add(study_folder, before, "trail", {"outcome": "broken", **broken}))
        entry = _add(study_folder, before, command, facts)
        _write_head(head_file(study_folder).parent, [*before, entry])
        due_file(study_folder).unlink(missing_ok=True)
    return entry


def expect(study_folder: Path) -> None:
    """Says, before the first load of a study is published, that the entry about it is to come.

    Published loads without any entry are a break; those of a run that was killed before its entry are not.
    """
    path = trail_file(study_folder)
    with _alone(path):
        if not path.is_file() and not lost(study_folder, []):
            due_file(study_folder).touch(mode=0o600)


def _add(
    study_folder: Path, before: list[dict[str, Any]], command: str, facts: Mapping[str, Any]
) -> dict[str, Any]:
    last: dict[str, Any] = before[-1] if before else {"n": 0, "hash": _FIRST}
    entry: dict[str, Any] = {
        "event": "ran",
        "n": _number(last) + 1,
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        **_user(),
        "command": command,
        **facts,
        "loads": _sealed(StudyPaths(study_folder).load_log),
        "head": kept_head(study_folder)
        is not None,  # of the entry before: none can be missing later
        "previous": last.get("hash"),
    }
    entry["hash"] = _hash(entry)
    append_event(trail_file(study_folder), entry)
    return entry


def keep_head(study_folder: Path, folder: Path) -> None:
    """Writes the head into a folder that takes the place of the published one, if there are entries.

    A head that the entries do not fit comes over as it is: the next entry has to find the break.
    """
    entries = entries_of(study_folder)
    if not break_of(study_folder, entries):
        _write_head(folder, entries)
    elif folder.is_dir() and (old := kept_head(study_folder)) is not None:
        _write(folder, old)


def _write_head(folder: Path, entries: list[dict[str, Any]]) -> None:
    """Number and hash of the last entry, and the tombstones."""
    if not entries or not folder.is_dir():
        return
    head = {"n": _number(entries[-1]), "hash": entries[-1].get("hash")}
    marks = {center: sorted(found) for center, found in sorted(_marks(entries).items())}
    _write(folder, json.dumps({**head, **({"withdrawn": marks} if marks else {})}) + "\n")


def _write(folder: Path, content: str) -> None:
    temporary = folder / f".{HEAD}.tmp"  # of a killed run: the next one writes over it
    temporary.write_text(content, encoding="utf-8")
    temporary.chmod(0o640)
    replace_durably(temporary, folder / HEAD)


def _was_published(entries: list[dict[str, Any]]) -> bool:
    """Whether a head must be there: it stands beside what is published."""
    return any(e.get("load_id") and e.get("outcome") == _PUBLISHED for e in entries)


def entries_of(study_folder: Path) -> list[dict[str, Any]]:
    """All entries that can be read, oldest first."""
    return [entry for entry in _entries(trail_file(study_folder)) if entry]


def withdrawn_marks(study_folder: Path) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Tombstones by center: those that the entries hold, and those that only the head holds."""
    entered = _marks(entries_of(study_folder))
    try:
        head = marks_in(json.loads(head_file(study_folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError):
        head = {}  # none was written, or it is damaged, which `problems_of` tells
    only = {center: marks - entered.get(center, set()) for center, marks in head.items()}
    return entered, {center: marks for center, marks in only.items() if marks}


def _marks(entries: list[dict[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in entries:
        marks = [*entry.get("marks", []), *([entry["tombstone"]] if entry.get("tombstone") else [])]
        if marks and "center_id" in entry:
            found.setdefault(str(entry["center_id"]), set()).update(map(str, marks))
        for center, kept in marks_in(entry).items():  # a break saves those of its head
            found.setdefault(center, set()).update(kept)
    return found


def problems_of(study_folder: Path) -> list[str]:
    """What is wrong with the trail; empty if every entry stands as it was written."""
    found: list[str] = []
    expected, previous = 1, _FIRST
    entries = _entries(trail_file(study_folder))
    for line, entry in enumerate(entries, start=1):
        if not entry:
            found.append(f"line {line} of the trail is no entry")
            continue
        if entry.get("hash") != _hash(entry):
            found.append(f"line {line} of the trail was changed after it was written")
        if entry.get("n") != expected or entry.get("previous") != previous:
            found.append(f"line {line} of the trail does not follow the one before it")
        if broken := told(entry):
            found.append(f"line {line} of the trail tells of a break before it: {broken}")
        expected, previous = _number(entry) + 1, str(entry.get("hash"))
    return [*found, *_head_problems(study_folder, entries), *_load_problems(study_folder, entries)]


def _head_problems(study_folder: Path, entries: list[dict[str, Any]]) -> list[str]:
    path = head_file(study_folder)
    try:
        head = json.loads(path.read_text(encoding="utf-8"))
        number, mark = int(head["n"]), str(head["hash"])
    except FileNotFoundError:
        if not _was_published(entries):
            return []
        return [f"the head of the trail is missing (published/quality/{HEAD})"]
    except (OSError, ValueError, KeyError, TypeError):
        return [f"the head of the trail cannot be read (published/quality/{HEAD})"]
    last = entries[-1] if entries else {}
    if (last.get("n"), last.get("hash")) == (number, mark):
        return []
    if any((entry.get("n"), entry.get("hash")) == (number, mark) for entry in entries[-2:-1]):
        return []  # a run was killed between the entry and its head; the next one moves it
    return [f"the trail does not end with entry {number}, as its head says"]


def _load_problems(study_folder: Path, entries: list[dict[str, Any]]) -> list[str]:
    if lost(study_folder, entries):
        return ["loads were published, and the trail has no entry: it was removed, with its head"]
    if load_log_fits(study_folder, entries):
        return []
    return [f"the load log ({_ALSO}) is not what the trail sealed"]


def _sealed(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _hash(entry: Mapping[str, Any]) -> str:
    content = {key: value for key, value in entry.items() if key != "hash"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _number(entry: Mapping[str, Any]) -> int:
    """The number of an entry; 0 where a changed one has none."""
    found = entry.get("n")
    return found if isinstance(found, int) else 0


def _entries(path: Path) -> list[dict[str, Any]]:
    """One entry per line, an empty one where a line is none; notes of crashes and what they cut are left out."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    found: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        entry = parsed(line)
        if entry.get("event") == "note":
            if found and not found[-1]:
                found.pop()  # what the crash cut off; no entry was made of it
            continue
        if not line and number == len(lines) - 1:
            continue
        found.append(entry if entry.get("event") == "ran" else {})
    return found


def _user() -> dict[str, Any]:
    """Whose process it is, by its number; what the environment says instead stands beside it."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"  # an account that this machine has no name for
    said = os.environ.get("LOGNAME", name)
    return {"user": name, "uid": uid, **({"logname": said} if said != name else {})}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One writer of the trail at a time; the system frees the lock of a killed one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path.with_name(".trail.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
