"""Publishing in steps that a run that is killed among them leaves for the next one to end.

Before the warehouse is put in its place, the key of the new state is noted. From the moment it stands
there the load is published, whatever was still to do: the line in the load log, the note of what is
published, the page of the audit. `recover` does that for a run that could not.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from flows import parts
from flows.folder import StudyFolder, open_to_readers
from flows.scratch import runs

# Names under which work stands while it is being done, below the study folder.
_HALF_DONE = (
    "vault/*.tmp",
    "vault/.*.key.*",
    "vault/log/.*.tmp",
    "vault/log/settings/*.tmp",
    "vault/study_findings/.*.tmp",
    "vault/queries/**/.*.tmp",
    "vault/packets/**/.*.tmp",
    "vault/answers/**/.*.tmp",
    "vault/deliveries/*/.*.tmp",
    "vault/deliveries/*/.incoming-*",
    "vault/staged/*/*.tmp",
    "published/.report.new",
    "published/quality/.*",
    "published/.building/*",
)
_FAILED = ("failed", "interrupted")
_NEXT = "next"  # what is about to be published, in the note of what is published


def announce(folder: StudyFolder, load_id: int, key: str) -> None:
    """Notes which load is about to be published, and the key of the state that it makes.

    Args:
        folder: the study.
        load_id: the load.
        key: as `stages.state_key`.
    """
    from warehouse.trail import expect

    expect(folder.root)
    parts.remember_state(folder, {_NEXT: {"load_id": load_id, "key": key}})


def complete(folder: StudyFolder, load_id: int, content: str, audit_results: Path) -> None:
    """What is left to do once the warehouse of a load stands in its place.

    Args:
        folder: the study.
        load_id: the load.
        content: content hash of the warehouse.
        audit_results: folder of the audit's results; they are published beside.
    """
    if parts.read_log(folder).load(load_id).outcome == "running":
        parts.end_load(folder, load_id, "published", content)
    folder.published.chmod(0o750)
    if audit_results.is_dir():
        replace_folder(audit_results, folder.quality)
    for place in (folder.quality, folder.published / "history"):
        if place.is_dir():
            open_to_readers(place)
    from warehouse.soundness import bytes_of

    announced = parts.published_state(folder).get(_NEXT) or {}
    known = bytes_of(folder.warehouse)
    state = {"load_id": load_id, "content_hash": content, **known, _NEXT: None}
    parts.remember_state(folder, {**state, "key": announced.get("key")})


def published_fault(folder: StudyFolder) -> str:
    """What is wrong with the published file, if one stands there: `warehouse.soundness.fault_of`."""
    from warehouse.soundness import fault_of

    if not folder.warehouse.is_file():
        return ""
    state = parts.published_state(folder)
    while True:
        # A run was killed before it could note its load: of that file nothing is known yet.
        known = {} if state.get(_NEXT) else state
        fault = fault_of(
            folder.warehouse, known.get("load_id"), known.get("size"), known.get("sha256")
        )
        before, state = state, parts.published_state(folder)
        if state == before:
            return fault
        # A run has published while the bytes were read: the new file is looked at.


def recover(folder: StudyFolder) -> None:
    """Ends what a killed run has left; for the holder of the study's lock.

    A load whose warehouse stands in its place was published; every other one was not.
    """
    announced = (parts.published_state(folder).get(_NEXT) or {}).get("load_id")
    log = parts.read_log(folder)
    if announced is None and all(load.outcome != "running" for load in log.loads):
        return
    from warehouse.connect import published_load
    from warehouse.publish import content_hash

    published = None if published_fault(folder) else published_load(folder.root)
    if published is not None and published == announced:
        content = log.load(published).content_hash or content_hash(folder.warehouse)
        complete(folder, published, content, folder.vault / "audit" / str(published))
        log = parts.read_log(folder)
    for load_id in log.settle(published):
        shutil.rmtree(folder.vault / "audit" / str(load_id), ignore_errors=True)
        (folder.vault / "profiles" / f"{load_id:06d}.json").unlink(missing_ok=True)


def ended_badly(folder: StudyFolder) -> bool:
    """Whether the last load failed: a disk that refuses one call may have left what it was writing."""
    loads = parts.read_log(folder).loads
    return bool(loads) and loads[-1].outcome in _FAILED


def sweep(folder: StudyFolder) -> None:
    """Removes half-done work of a run that was killed or failed; a published folder that it had taken away comes back.

    The results of an audit that stopped the publishing stay: its message names their page.
    """
    for load in parts.read_log(folder).loads:
        if load.outcome in _FAILED:
            shutil.rmtree(folder.vault / "audit" / str(load.load_id), ignore_errors=True)
    for name in _HALF_DONE:
        for path in list(folder.root.glob(name)):
            maker = path.suffix.removeprefix(".")
            if maker.isdigit() and runs(int(maker)):
                continue  # another command is writing it just now
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    for target in (folder.report, folder.quality):
        old = _taken_away(target)
        if old.is_dir() and not target.exists():
            old.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def replace_folder(source: Path, target: Path) -> None:
    """Puts a complete folder of the study in the place of another of its published folders."""
    if target.parents[1].resolve() not in source.resolve().parents:
        raise ValueError("only a folder inside the study is moved")  # never the working directory
    old = _taken_away(target)
    shutil.rmtree(old, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(old)
    shutil.move(source, target)
    shutil.rmtree(old, ignore_errors=True)


def _taken_away(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")
