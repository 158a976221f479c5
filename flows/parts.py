"""The calls into the packages below, each imported when it is first needed.

One place says what a run asks of `schemas`, `transforms`, `warehouse`, `expectations` and `reports`;
no other module of `flows` names their functions.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.disk_full import DiskFullError
from flows.fingerprint import file_hash, spec_hash, staging_code, version_of
from flows.folder import StudyFolder, write_json
from flows.outcome import FAILED, HELD, LOADED, WAITING, DeliveryOutcome
from flows.panics import no_panics
from flows.scratch import study_scratch
from schemas.delivery import Delivery
from schemas.errors import CarmonyError, FileError, Place

if TYPE_CHECKING:
    from schemas.spec.center import CenterSpec
    from schemas.spec.study import Study
    from warehouse.loads import LoadLog, StagedDelivery

LOCK_WAIT = float(os.environ.get("CARMONY_LOCK_WAIT", "10"))  # seconds for the run before
CHILD_LIMIT = 4 * 3600.0  # seconds for reading one big delivery
_STATE = "published.json"
_ONE_AT_A_TIME = threading.Lock()  # in this process; big deliveries have processes of their own
_CHILDREN: set[subprocess.Popen[str]] = set()
_VERSIONS = ("carmony", "polars", "duckdb", "pandera", "great-expectations", "lifelines")


# Study and specs ---------------------------------------------------------------------------------


def load_study(folder: StudyFolder) -> Study:
    """The study's settings."""
    return _study(folder.root, file_hash(folder.settings))


@cache
def _study(root: Path, mark: str) -> Study:
    from schemas.spec import load_study as load

    return load(root)


def plan_hash(folder: StudyFolder) -> str:
    """SHA-256 of the analysis plan that the study names."""
    from schemas.spec.plans import plan_file

    return file_hash(plan_file(load_study(folder)))


def load_spec(path: Path) -> CenterSpec:
    """A center's spec; SpecError if it is broken."""
    from schemas.spec import load_spec as load

    return load(path)


def mode_of(folder: StudyFolder, center_id: str) -> str:
    """`snapshot` or `append`; a spec that cannot be read just now changes nothing."""
    try:
        return load_spec(folder.spec(center_id)).mode
    except (CarmonyError, OSError):
        last = current_delivery(folder, center_id)
        return last.mode if last else "snapshot"


# Deliveries --------------------------------------------------------------------------------------


def stage(spec: CenterSpec, delivery: Delivery, out: Path, study: Study) -> None:
    """Reads, maps and checks one delivery into `out`."""
    from transforms.stage import process_center

    with _ONE_AT_A_TIME, no_panics():
        process_center(spec, delivery, out, study)


def stage_in_child(folder: StudyFolder, delivery: Delivery, out: Path) -> None:
    """As `stage`, in a process of its own: a crash or too much memory ends only that process."""
    request = {
        "root": str(folder.root),
        "center_id": delivery.center_id,
        "delivery_id": delivery.delivery_id,
        "path": str(delivery.path),
        "received_on": str(delivery.received_on),
        "files": [[file.name, file.sha256, file.size] for file in delivery.files],
        "out": str(out),
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "flows.stage_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # its log lines may quote values; the answer says what happened
        text=True,
        cwd=Path(__file__).resolve().parent.parent,
    )
    _CHILDREN.add(child)
    try:
        output, _ = child.communicate(json.dumps(request), CHILD_LIMIT)
    except subprocess.TimeoutExpired:
        raise _lost(delivery, f"did not end within {CHILD_LIMIT / 3600:.0f} hours") from None
    finally:
        child.kill()
        child.wait()
        _CHILDREN.discard(child)
    try:
        answer = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        raise _lost(delivery, f"ended its process with code {child.returncode}") from None
    if "full" in answer:
        raise DiskFullError(answer["full"], fix=answer["fix"])
    if "code" in answer:
        raise FileError(
            answer["code"], Place(**answer["place"]), answer["problem"], fix=answer["fix"]
        )
    if "message" in answer:
        raise CarmonyError(answer["message"], fix=answer["fix"])
    if "bug" in answer:
        raise ChildError(answer["bug"])


def stop_children() -> None:
    """Ends the processes of big deliveries that still run, for a run that is interrupted."""
    for child in list(_CHILDREN):
        child.kill()


class ChildError(RuntimeError):
    """A bug in the child; `safe_text` is the place in its code, never a value."""

    def __init__(self, trace: str) -> None:
        self.safe_text = trace
        super().__init__(trace)


def _lost(delivery: Delivery, what: str) -> FileError:
    return FileError(
        "CRASH",
        Place(f"inbox/{delivery.center_id}/{delivery.received_on}"),
        f"reading the delivery {what}",
        fix="run on a machine with more memory, or ask the center for smaller files",
    )


def write_packet(folder: StudyFolder, outcome: DeliveryOutcome) -> None:
    """The file of findings for the center, into the vault."""
    from warehouse.packets import write_packet as write

    write(
        folder.root,
        outcome.center_id,
        outcome.delivery_id,
        folder.root / outcome.staged,
        received_on=dt.date.fromisoformat(outcome.received_on),
    )


def write_study_packets(
    folder: StudyFolder, load_id: int, written: Collection[tuple[str, str]]
) -> None:
    """Packets of deliveries in force that a rule over all centers asks about; not of `written`."""
    from warehouse.packets import write_packet as write
    from warehouse.study_rules import StudyFindings

    of_study = StudyFindings.read(folder.root)
    for staged in current_deliveries(folder, load_id):
        if (staged.center_id, staged.delivery_id) in written:
            continue
        findings, _ = of_study.of(staged.center_id, staged.delivery_id)
        if findings.height:
            write(
                folder.root,
                staged.center_id,
                staged.delivery_id,
                staged.folder,
                received_on=staged.received_on,
            )


# The load log ------------------------------------------------------------------------------------


@contextmanager
def run_lock(root: str) -> Iterator[None]:
    """Holds the study's lock, and ends what a run that was killed has left.

    Who has to wait for another command is told at once which process that is.
    """
    from flows.recovery import ended_badly, recover, sweep
    from flows.withdrawn_kept import restore
    from warehouse.lock import load_lock

    folder = StudyFolder(Path(root))
    with (
        load_lock(folder.root, wait_seconds=LOCK_WAIT, tell=_tell) as killed,
        study_scratch(folder.root),
    ):
        recover(folder)
        if killed or ended_badly(folder):
            sweep(folder)
        restore(folder)
        try:
            yield
        except BaseException:
            with suppress(Exception):  # what fails here as well is left for the next run
                sweep(folder)
            raise


def _tell(text: str) -> None:
    print(f"carmony: {text}", file=sys.stderr, flush=True)


def read_log(folder: StudyFolder) -> LoadLog:
    """The study's load log."""
    from warehouse.loads import LoadLog

    return LoadLog.read(folder.root)


def current_delivery(folder: StudyFolder, center_id: str) -> StagedDelivery | None:
    """The newest delivery of a center that stands in the published warehouse."""
    current = read_log(folder).current(center_id)
    return current[-1] if current else None


def current_deliveries(folder: StudyFolder, load_id: int | None = None) -> list[StagedDelivery]:
    """What stands in the warehouse, or will after the running load `load_id`."""
    return [staged for staged in read_log(folder).history(including=load_id) if staged.current]


def query_marks(folder: StudyFolder) -> list[str]:
    """Names of what people did to the queries and what changes the published state."""
    if not (folder.vault / "queries").is_dir():
        return []
    from warehouse.queries import QueryLog

    return QueryLog.read(folder.root).marks


def begin_load(folder: StudyFolder, outcomes: Sequence[DeliveryOutcome]) -> int:
    """Opens a load and writes down what became of each delivery."""
    from warehouse.loads import NO_ID
    from warehouse.loads import DeliveryOutcome as Line

    log = read_log(folder)
    versions = {name: version_of(name) for name in _VERSIONS}
    load_id = log.start(file_hash(folder.settings), versions)
    words = {LOADED: "loaded", FAILED: "failed", HELD: "held", WAITING: "failed"}
    log.record(
        load_id,
        [
            Line(
                outcome.center_id,
                outcome.delivery_id or NO_ID,
                dt.date.fromisoformat(outcome.received_on) if outcome.received_on else None,
                outcome.sequence,
                outcome.spec_hash or spec_hash(folder, outcome.center_id),
                staging_code(),
                words[outcome.state],
                outcome.mode,
                outcome.staged or None,
                outcome.message,
            )
            for outcome in outcomes
            if outcome.told_in_load
        ],
    )
    return load_id


def end_load(folder: StudyFolder, load_id: int, outcome: str, content: str = "") -> None:
    """Closes a load: published, stopped or failed."""
    read_log(folder).finish(load_id, outcome, content_hash=content or None)


def last_published(folder: StudyFolder) -> int | None:
    """The newest load that was published; a load that runs is none."""
    done = [load.load_id for load in read_log(folder).loads if load.outcome == "published"]
    return max(done, default=None)


def published_state(folder: StudyFolder) -> dict[str, Any]:
    """What was noted at the last publishing; empty if nothing was."""
    try:
        content = json.loads((folder.logs / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def remember_state(folder: StudyFolder, content: dict[str, Any]) -> None:
    """Notes what is published now, so that a run with nothing new can tell."""
    write_json(folder.logs / _STATE, {**published_state(folder), **content})
