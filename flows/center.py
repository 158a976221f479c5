"""One center's way from its inbox to staged deliveries. A fault of one center stays its own.

`pull` takes what is new into the vault and decides what has to be read; `process` reads it. Both
take and return small dicts of ids, counts and paths, so that they can run as tasks anywhere.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows import parts, pull
from flows.bug_log import write_bug_log
from flows.faults import refuse_to_go_on
from flows.fingerprint import spec_hash, staging_code
from flows.folder import StudyFolder, make_private
from flows.outcome import FAILED, HELD, LOADED, REPEATED, UNCHANGED, WAITING, DeliveryOutcome
from schemas.delivery import DeliveredFile, Delivery
from schemas.errors import CarmonyError, FileError, Place

# From this size on a delivery is read in a process of its own: it may need much memory or crash.
BIG_DELIVERY = 64 * 2**20
Report = Callable[[DeliveryOutcome], None]


def pull_center(root: str, center_id: str, until: str | None) -> dict[str, Any]:
    """Takes new deliveries into the vault and says which have to be read.

    Args:
        root: the study folder.
        center_id: the center.
        until: ISO date; later deliveries are left alone.

    Returns:
        `center_id`, `todo` (deliveries to read, oldest first) and `outcomes` (what could not be
        taken, what came twice), JSON-ready.
    """
    folder = StudyFolder(Path(root))
    last = dt.date.fromisoformat(until) if until else None
    pulled = pull.pull_center(folder, center_id, last)
    outcomes = [
        DeliveryOutcome(
            center_id,
            WAITING if problem.can_pass else FAILED,
            received_on=problem.received_on,
            message=problem.message,
            code=problem.code,
            can_pass=problem.can_pass,
        )
        for problem in pulled.problems
    ]
    outcomes += [
        DeliveryOutcome(
            center_id,
            REPEATED,
            delivery.delivery_id,
            str(delivery.received_on),
            message=f"inbox/{center_id}: the delivery of {delivery.received_on} holds the same "
            "files as an earlier one and changes nothing",
        )
        for delivery in pulled.repeated
    ]
    todo: list[dict[str, Any]] = []
    if not folder.spec(center_id).is_file():
        if pulled.deliveries:
            outcomes.append(_no_spec(center_id))
    else:
        todo = _todo(folder, center_id, pulled.deliveries)
    return {
        "center_id": center_id,
        "todo": todo,
        "outcomes": [outcome.to_dict() for outcome in outcomes],
    }


def has_big_delivery(pulled: Mapping[str, Any]) -> bool:
    """True if one of the deliveries to read will have a process of its own."""
    return any(_size(_delivery(entry)) >= BIG_DELIVERY for entry in pulled["todo"])


def _size(delivery: Delivery) -> int:
    return sum(file.size for file in delivery.files)


def _no_spec(center_id: str) -> DeliveryOutcome:
    return DeliveryOutcome(
        center_id,
        FAILED,
        code="NO_SPEC",
        message=f"inbox/{center_id} holds deliveries, but there is no centers/{center_id}.yaml "
        "[NO_SPEC]\n  Fix: write the spec of the center (docs/center-specs.md), or rename the folder",
    )


def _todo(
    folder: StudyFolder, center_id: str, deliveries: tuple[Delivery, ...]
) -> list[dict[str, Any]]:
    """Deliveries that the load log does not know with today's spec and code, oldest first.

    A delivery that was tried before and is superseded by a later loaded one is not read again.
    """
    log = parts.read_log(folder)
    spec, code = spec_hash(folder, center_id), staging_code()
    current = log.current(center_id)
    newest = max((staged.received_on for staged in current), default=dt.date.min)
    snapshot = bool(current) and parts.mode_of(folder, center_id) == "snapshot"
    todo = []
    places: dict[dt.date, int] = {}
    for delivery in deliveries:
        sequence = places[delivery.received_on] = places.get(delivery.received_on, 0) + 1
        tried = log.last_outcome(center_id, delivery.delivery_id) is not None
        superseded = snapshot and tried and delivery.received_on < newest
        if not superseded and not log.is_known(center_id, delivery.delivery_id, spec, code):
            todo.append(_delivery_dict(delivery, sequence))
    return todo


def process_center(
    root: str, pulled: Mapping[str, Any], accept_fewer: bool, report: Report | None = None
) -> list[dict[str, Any]]:
    """Reads the deliveries that `pull_center` named, in order.

    Args:
        root: the study folder.
        pulled: what `pull_center` returned.
        accept_fewer: a delivery that lost many patients is taken all the same.
        report: called after each delivery.

    Returns:
        One `DeliveryOutcome` per delivery and problem, as dicts. Never raises for a center's fault.
    """
    folder = StudyFolder(Path(root))
    center_id = str(pulled["center_id"])
    outcomes = [DeliveryOutcome(**outcome) for outcome in pulled["outcomes"]]
    deliveries = [(_delivery(entry), int(entry["sequence"])) for entry in pulled["todo"]]
    for outcome in outcomes:
        if report:
            report(outcome)
    for outcome in _process_all(folder, center_id, deliveries, accept_fewer):
        outcomes.append(outcome)
        if report:
            report(outcome)
    if not outcomes:
        outcomes.append(_unchanged(folder, center_id))
        if report:
            report(outcomes[-1])
    return [outcome.to_dict() for outcome in outcomes]


def _process_all(
    folder: StudyFolder,
    center_id: str,
    deliveries: list[tuple[Delivery, int]],
    accept_fewer: bool,
) -> Iterator[DeliveryOutcome]:
    if not deliveries:
        return
    try:
        spec = parts.load_spec(folder.spec(center_id))
    except Exception as error:
        refuse_to_go_on(error, folder)
        yield _failure(folder, *deliveries[-1], error)
        return
    last = parts.current_delivery(folder, center_id)
    good = last.folder if last else None
    newest = last.received_on if last else dt.date.min
    for delivery, sequence in deliveries:
        # A delivery that came late but is older than what stands is history, nothing to compare.
        late = delivery.received_on < newest
        try:
            outcome = _process(folder, spec, delivery, None if late else good, accept_fewer)
            outcome.sequence = sequence
        except Exception as error:
            refuse_to_go_on(error, folder)
            yield _failure(folder, delivery, sequence, error)
            continue
        if not late:
            good, newest = folder.root / outcome.staged, delivery.received_on
        yield outcome


def _process(
    folder: StudyFolder, spec: Any, delivery: Delivery, good: Path | None, accept_fewer: bool
) -> DeliveryOutcome:
    from flows.tally import check_readable, check_shrink, tally

    center_id = delivery.center_id
    name = f"inbox/{center_id}/{delivery.received_on}"
    _refuse_foreign(folder, delivery, name)
    key, mode = spec_hash(folder, center_id), spec.mode
    out = make_private(folder.staged(center_id)) / f"{delivery.delivery_id}-{key}-{staging_code()}"
    shutil.rmtree(out, ignore_errors=True)  # of an interrupted or failed run
    if _size(delivery) >= BIG_DELIVERY:
        parts.stage_in_child(folder, delivery, out)
    else:
        parts.stage(spec, delivery, out, parts.load_study(folder))
    outcome = DeliveryOutcome(
        center_id,
        LOADED,
        delivery.delivery_id,
        str(delivery.received_on),
        staged=out.relative_to(folder.root).as_posix(),
        spec_hash=key,
        mode=mode,
    )
    try:
        people = {block.source for block in spec.tables if block.table == "subject"}
        check_readable(out, people, name=name)
    except FileError:
        parts.write_packet(folder, outcome)  # of a failed delivery no load writes it
        raise
    earlier = good if good and good.is_dir() and mode == "snapshot" else None
    check_shrink(out, earlier, accepted=accept_fewer, name=name)
    _count(outcome, tally(out))
    return outcome


def _refuse_foreign(folder: StudyFolder, delivery: Delivery, name: str) -> None:
    """The very files of another center would count its patients twice.

    Raises:
        FileError: FOREIGN_CENTER, another center's delivery holds the same files.
    """
    staged = folder.staged(delivery.center_id).parent
    others = sorted(staged.glob(f"*/{delivery.delivery_id}-*"))
    owners = {path.parent.name for path in others if (path / "summary.json").is_file()}
    owners.discard(delivery.center_id)
    if owners:
        raise FileError(
            "FOREIGN_CENTER",
            Place(name),
            f"these are the very files that center {min(owners)} sent",
            fix="remove the delivery from this center's inbox, or from the other's, and run again",
        )


def _failure(
    folder: StudyFolder, delivery: Delivery, sequence: int, error: Exception
) -> DeliveryOutcome:
    """The outcome of a delivery that failed; its message holds no value of a cell."""
    outcome = DeliveryOutcome(
        delivery.center_id,
        FAILED,
        delivery.delivery_id,
        str(delivery.received_on),
        spec_hash=spec_hash(folder, delivery.center_id),
        sequence=sequence,
    )
    if isinstance(error, FileError):
        outcome.code = error.code
        outcome.state = {"SHRINK": HELD, "CHANGING": WAITING}.get(error.code, FAILED)
        outcome.can_pass = error.code == "CHANGING"
        outcome.message = str(error)
    elif isinstance(error, CarmonyError):
        outcome.code = "SPEC"
        outcome.message = str(CarmonyError(f"{error.message} [SPEC]", fix=error.fix))
    elif isinstance(error, OSError):
        outcome.code, outcome.can_pass = "UNREADABLE", True
        outcome.message = f"reading or staging failed: {error.strerror} [UNREADABLE]"
    else:
        place = write_bug_log(error, str(folder.root))
        outcome.code = "CRASH"
        outcome.message = (
            f"reading this delivery ended in a bug ({type(error).__name__}) [CRASH]\n"
            f"  Fix: please send the file {place}; the center's earlier state stays"
        )
    return outcome


def _unchanged(folder: StudyFolder, center_id: str) -> DeliveryOutcome:
    """What stands of a center from which nothing new came."""
    last = parts.current_delivery(folder, center_id)
    if last is None:
        return DeliveryOutcome(center_id, UNCHANGED, message="no delivery yet")
    from flows.tally import tally

    outcome = DeliveryOutcome(center_id, UNCHANGED, last.delivery_id, str(last.received_on))
    if last.folder.is_dir():
        _count(outcome, tally(last.folder))
    return outcome


def _count(outcome: DeliveryOutcome, counts: Any) -> None:
    for key, n in asdict(counts).items():
        setattr(outcome, key, n)


def _delivery_dict(delivery: Delivery, sequence: int) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "center_id": delivery.center_id,
        "delivery_id": delivery.delivery_id,
        "path": str(delivery.path),
        "received_on": str(delivery.received_on),
        "files": [[file.name, file.sha256, file.size] for file in delivery.files],
    }


def _delivery(entry: Mapping[str, Any]) -> Delivery:
    return Delivery(
        entry["center_id"],
        entry["delivery_id"],
        Path(entry["path"]),
        dt.date.fromisoformat(entry["received_on"]),
        tuple(DeliveredFile(*file) for file in entry["files"]),
    )
