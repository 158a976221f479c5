"""The stages of a run after the deliveries are read; each a plain function over paths and counts.

    pull, process (flows.center) → assemble → judge → publish → report

`flows.run` calls them directly, `flows.study_flow` as Prefect tasks. What passes between them are
small dicts, never rows.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows import parts
from flows.fingerprint import content_key, file_hash, staging_code, study_code
from flows.folder import StudyFolder, open_study_folder, open_to_readers, write_json
from flows.outcome import AUDIT_STOPPED, LOADED, NOT_PUBLISHED, PUBLISHED, DeliveryOutcome
from flows.pull import inbox_centers
from schemas.errors import CarmonyError, StudyError


def prepare(root: str, centers: Sequence[str]) -> dict[str, Any]:
    """Reads the study and lists the centers of this run.

    Args:
        root: the study folder.
        centers: only these; empty means all that have a spec or a delivery.

    Returns:
        `root`, `study_id` and `centers` (sorted ids).

    Raises:
        StudyError: no study, a broken `study.yaml`, or a center that is not in the study.
    """
    folder = open_study_folder(Path(root))
    study = parts.load_study(folder)
    known = sorted(
        {p.stem for p in (folder.root / "centers").glob("*.yaml")} | set(inbox_centers(folder))
    )
    unknown = sorted(set(centers) - set(known))
    if unknown:
        raise StudyError(
            f"The study has no center {', '.join(repr(c) for c in unknown)}. "
            f"Its centers: {', '.join(known) or 'none'}.",
            fix="write the id as the file in centers/ is named",
        )
    return {
        "root": str(folder.root),
        "study_id": parts.study_id(study),
        "centers": sorted(set(centers)) or known,
    }


def state_key(root: str, outcomes: Sequence[DeliveryOutcome]) -> str:
    """Hash of all that the published state rests on: current deliveries, failures, study, code."""
    folder = StudyFolder(Path(root))
    current = {
        (e["center_id"], e["delivery_id"], e["spec_hash"], e["code_hash"])
        for e in parts.current_entries(folder)
    }
    for outcome in outcomes:
        if outcome.state == LOADED:
            key = (outcome.center_id, outcome.delivery_id, outcome.spec_hash, staging_code())
            current.add(key)
    failures = sorted((o.center_id, o.delivery_id, o.state, o.code) for o in outcomes if o.trouble)
    return content_key([sorted(current), failures, file_hash(folder.settings), study_code()])


def is_published(root: str, key: str) -> bool:
    """True if the published warehouse is exactly that state."""
    folder = StudyFolder(Path(root))
    return folder.warehouse.is_file() and parts.published_state(folder).get("key") == key


def assemble(root: str, outcomes: Sequence[DeliveryOutcome]) -> dict[str, Any]:
    """Writes the load into the log and builds the staged warehouse with the analysis tables.

    Returns:
        `load_id` and `staged_file`; `staged_file` is empty where there is nothing to build from.
    """
    folder = StudyFolder(Path(root))
    load_id = parts.begin_load(folder, outcomes)
    for outcome in outcomes:
        if outcome.state == LOADED:
            parts.write_packet(folder, outcome)
    if not parts.current_entries(folder):
        parts.end_load(folder, load_id, "failed", "")
        return {"load_id": load_id, "staged_file": ""}
    return {"load_id": load_id, "staged_file": str(parts.build(folder, load_id))}


def judge(root: str, load_id: int, staged_file: str, child: Any = None) -> dict[str, Any]:
    """Estimates and audit of the staged warehouse, in a process of its own.

    Args:
        root: the study folder.
        load_id: the load.
        staged_file: the staged warehouse.
        child: a `flows.judge.Judge` that was started earlier; None starts one.

    Returns:
        `passed`, `critical_failures`, `warnings` and `results` (folder of the audit's results).
    """
    from flows.judge import Judge

    folder = StudyFolder(Path(root))
    results = folder.vault / "audit" / str(load_id)
    with child or Judge() as process:
        answer = process.ask(Path(staged_file), folder.root, results)
    return {**answer, "results": str(results)}


def publish(root: str, load_id: int, staged_file: str, key: str, verdict: dict[str, Any]) -> str:
    """Puts the staged warehouse in the place of the published one, if the audit let it pass.

    Returns:
        The content hash, or nothing if the audit stopped the publishing.
    """
    folder = StudyFolder(Path(root))
    if not verdict["passed"]:
        parts.end_load(folder, load_id, AUDIT_STOPPED, "")
        Path(staged_file).unlink(missing_ok=True)
        return ""
    content = parts.publish(folder, load_id, Path(staged_file))
    parts.end_load(folder, load_id, PUBLISHED, content)
    parts.remember_state(folder, {"key": key, "load_id": load_id, "content_hash": content})
    _replace_folder(Path(verdict["results"]), folder.quality)
    return content


def report(root: str) -> str:
    """Renders the report from the published warehouse; returns the path of the page."""
    folder = StudyFolder(Path(root))
    fresh = folder.published / ".report.new"
    shutil.rmtree(fresh, ignore_errors=True)
    page = parts.render(folder, fresh)
    _replace_folder(fresh, folder.report)
    open_to_readers(folder.published)
    return str(folder.report / page.name)


def _replace_folder(source: Path, target: Path) -> None:
    """Puts a complete folder in the place of another."""
    if not source.is_dir():
        return
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(old)
    shutil.move(source, target)
    shutil.rmtree(old, ignore_errors=True)
