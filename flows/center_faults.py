"""What is said of deliveries that could not be taken or read; each fault stays with its center."""

from __future__ import annotations

from collections.abc import Collection

from flows.bug_log import write_bug_log
from flows.faults import unreadable
from flows.fingerprint import spec_hash
from flows.folder import StudyFolder
from flows.outcome import FAILED, HELD, REPEATED, WAITING, DeliveryOutcome
from flows.pull import Pulled
from schemas.delivery import Delivery
from schemas.errors import CarmonyError, FileError, Place


def pull_outcomes(
    center_id: str, pulled: Pulled, back: Collection[Delivery] = ()
) -> list[DeliveryOutcome]:
    """Outcomes of what could not be taken from the inbox, and of what came twice but is not `back` in force."""
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
            f"files as {_told_earlier(pulled, delivery)}",
        )
        for delivery in pulled.repeated
        if delivery not in back
    ]
    return outcomes


def _told_earlier(pulled: Pulled, repeated: Delivery) -> str:
    """Whose files they are, and what stands in force."""
    first = next(d for d in pulled.deliveries if d.delivery_id == repeated.delivery_id)
    between = [
        d.received_on
        for d in pulled.deliveries
        if first.received_on <= d.received_on <= repeated.received_on and d is not first
    ]
    if not between:
        return f"that of {first.received_on} and changes nothing"
    return (
        f"that of {first.received_on}, after which that of {max(between)} came; it changes nothing, "
        "the later one stands\n  Fix: if the center means to go back to the earlier files, ask for a "
        "new export of them (any other byte makes it a new delivery); else remove it from the inbox"
    )


def no_spec(center_id: str) -> DeliveryOutcome:
    """The outcome of a center that has deliveries and no spec."""
    return DeliveryOutcome(
        center_id,
        FAILED,
        code="NO_SPEC",
        message=f"inbox/{center_id} holds deliveries, but there is no centers/{center_id}.yaml "
        "[NO_SPEC]\n  Fix: write the spec of the center (docs/center-specs.md), or rename the folder",
    )


def refuse_foreign(folder: StudyFolder, delivery: Delivery, name: str) -> None:
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


def delivery_failure(
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
        outcome.state, outcome.code, outcome.can_pass = WAITING, "UNREADABLE", True
        place = f"inbox/{delivery.center_id}/{delivery.received_on}"
        outcome.message = unreadable(error, folder.root, place)
    else:
        log = write_bug_log(error, str(folder.root))
        outcome.code = "CRASH"
        outcome.message = (
            f"reading this delivery ended in a bug ({type(error).__name__}) [CRASH]\n"
            f"  Fix: please send the file {log}; the center's earlier state stays"
        )
    return outcome
