"""What a command writes into the audit trail, and the settings that it keeps for a rebuild."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

from flows import parts
from flows.fingerprint import file_hash, staging_code, study_code, version_of
from flows.folder import StudyFolder, make_private
from flows.outcome import RunOutcome

_VERSIONS = ("carmony", "polars", "duckdb", "great-expectations", "prefect")
# Commands that change a study and are no run; `queries` only where its action does.
_CHANGING = frozenset({"report", "queries", "forget"})
_LOOKING = frozenset({None, "list"})


def note_run(root: str, outcome: RunOutcome) -> None:
    """The entry of a run that came to its end."""
    folder = StudyFolder(Path(root))
    deliveries = [
        {
            "center_id": d.center_id,
            "delivery_id": d.delivery_id,  # the hash of its files
            "spec_hash": d.spec_hash,
            "state": d.state,
        }
        for d in outcome.deliveries
        if d.delivery_id and d.spec_hash
    ]
    facts = {
        "outcome": outcome.state,
        "exit_code": outcome.exit_code,
        "load_id": outcome.load_id,
        "content_hash": outcome.content_hash,
        "plan_hash": parts.plan_hash(folder),
        "deliveries": deliveries,
    }
    keep_settings(folder)
    note(folder.root, "run", facts)


def note_command(arguments: argparse.Namespace, code: int, what: str = "done") -> None:
    """The entry of another command that changes a study, or of a run that failed as a whole.

    Args:
        arguments: of the command line; ids of patients in it are not written.
        code: its exit code.
        what: `done`, `failed` or `interrupted`.
    """
    study = getattr(arguments, "study", None)
    command, action = arguments.command, getattr(arguments, "action", None)
    if not study or not (Path(study) / "vault").is_dir():
        return
    if what == "done" and getattr(arguments, "noted", False):
        return  # the command has written its entry itself
    changing = command in _CHANGING and not (command == "queries" and action in _LOOKING)
    if not changing and not (command == "run" and what != "done"):
        return
    shown = f"{command} {action}" if command == "queries" else command
    try:
        note(Path(study).resolve(), shown, {"outcome": what, "exit_code": code})
    except OSError:
        if what == "done":  # a disk that is full has ended the command already, with its message
            raise


def note(root: Path, command: str, facts: dict[str, Any]) -> None:
    """An entry with the versions and hashes that hold now."""
    from warehouse import trail

    folder = StudyFolder(root)
    common = {
        "server": bool(os.environ.get("PREFECT__FLOW_RUN_ID")),
        "versions": {name: version_of(name) for name in _VERSIONS},
        "code": {"staging": staging_code(), "study": study_code()},
        "study_hash": _hash(folder.settings),
        "specs": {p.stem: _hash(p) for p in sorted((root / "centers").glob("*.yaml"))},
    }
    trail.note(root, command, {**common, **facts})


def keep_settings(folder: StudyFolder) -> None:
    """Copies of `study.yaml` and of the plan under their hashes, for rebuilding a state."""
    from schemas.spec.plans import plan_file

    home = make_private(folder.vault / "settings")
    for path in (folder.settings, plan_file(parts.load_study(folder))):
        kept = home / f"{file_hash(path)}.yaml"
        if not kept.is_file():
            temporary = kept.with_suffix(".tmp")
            shutil.copyfile(path, temporary)
            temporary.chmod(0o600)
            temporary.replace(kept)


def _hash(path: Path) -> str:
    """The hash of a file; a word for one that is missing or may not be read just now."""
    try:
        return file_hash(path)
    except OSError:
        return "unreadable"
