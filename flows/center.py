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
from flows.center_faults import delivery_failure, no_spec, pull_outcomes, refuse_foreign
from flows.earlier import CenterHistory, Earlier
from flows.faults import refuse_to_go_on
from flows.fingerprint import spec_hash, staging_code
from flows.folder import StudyFolder, make_private
from flows.outcome import LOADED, UNCHANGED, DeliveryOutcome
from flows.standing import as_loaded, restored
from flows.vault_damage import is_damaged, to_read_again, usable
from schemas.delivery import DeliveredFile, Delivery
from schemas.errors import FileError

# From this size on a delivery is read in a process of its own: it may need much memory or crash.
BIG_DELIVERY = 64 * 2**20
Report = Callable[[DeliveryOutcome], None]
_READ_AGAIN = "its staged rows in the vault were damaged or gone; the delivery was read again"


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
    log = parts.read_log(folder)
    pulled = as_loaded(pull.pull_center(folder, center_id, last), log, center_id)
    back = restored(pulled, log, center_id)
    outcomes = pull_outcomes(center_id, pulled, [delivery for delivery, _ in back])
    todo: list[dict[str, Any]] = []
    if not folder.spec(center_id).is_file():
        if pulled.deliveries:
            outcomes.append(no_spec(center_id))
    else:
        todo = _todo(folder, center_id, pulled.deliveries, back)
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


def _todo(
    folder: StudyFolder,
    center_id: str,
    deliveries: tuple[Delivery, ...],
    back: list[tuple[Delivery, int]],
) -> list[dict[str, Any]]:
    """Deliveries that the load log does not know with today's spec and code, oldest first.

    A delivery that was tried before and is superseded by a later loaded one is not read again, unless it
    is `back` in the place of one in force (`flows.standing`). One in force whose staged rows are damaged is.
    """
    log = parts.read_log(folder)
    spec, code = spec_hash(folder, center_id), staging_code()
    current = log.current(center_id)
    newest = max((staged.received_on for staged in current), default=dt.date.min)
    snapshot = bool(current) and parts.mode_of(folder, center_id) == "snapshot"
    again = {delivery.delivery_id for delivery, _ in back}
    damaged = [
        one for one in to_read_again(folder, current, deliveries) if one[0].delivery_id not in again
    ]
    again |= {delivery.delivery_id for delivery, _ in damaged}
    todo = [_delivery_dict(*one) for one in (*back, *damaged)]
    places: dict[dt.date, int] = {}
    for delivery in deliveries:
        sequence = places[delivery.received_on] = places.get(delivery.received_on, 0) + 1
        tried = log.last_outcome(center_id, delivery.delivery_id) is not None
        superseded = snapshot and tried and delivery.received_on < newest
        superseded |= delivery.delivery_id in again  # it stands in the list
        if not superseded and not log.is_known(center_id, delivery.delivery_id, spec, code):
            todo.append(_delivery_dict(delivery, sequence))
    return sorted(todo, key=lambda entry: (entry["received_on"], entry["sequence"]))


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
        folder.spec(center_id).open("rb").close()  # what may not be read is no wrong spec
        spec = parts.load_spec(folder.spec(center_id))
    except Exception as error:
        refuse_to_go_on(error, folder)
        yield delivery_failure(folder, *deliveries[-1], error)
        return
    history = CenterHistory(folder, center_id)
    for delivery, sequence in deliveries:
        try:
            earlier = history.earlier(delivery, sequence)
            outcome = _process(folder, spec, delivery, earlier, accept_fewer)
            outcome.sequence = sequence
        except Exception as error:
            refuse_to_go_on(error, folder)
            yield delivery_failure(folder, delivery, sequence, error)
            continue
        history.add(outcome)
        yield outcome


def _process(
    folder: StudyFolder, spec: Any, delivery: Delivery, earlier: Earlier, accept_fewer: bool
) -> DeliveryOutcome:
    from flows.row_loss import check_rows
    from flows.tally import check_anyone_left, check_reading, check_shrink, tally

    center_id = delivery.center_id
    name = f"inbox/{center_id}/{delivery.received_on}"
    refuse_foreign(folder, delivery, name)
    key, mode = spec_hash(folder, center_id), spec.mode
    out = make_private(folder.staged(center_id)) / f"{delivery.delivery_id}-{key}-{staging_code()}"
    unread = earlier.reading is not None and is_damaged(earlier.reading)
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
        alone = mode == "snapshot" or parts.current_delivery(folder, center_id) is None
        check_anyone_left(out, people, alone=alone, name=name)
    except FileError:
        parts.write_packet(folder, outcome)  # of a failed delivery no load writes it
        raise
    if unread:
        outcome.message = f"{name}: {_READ_AGAIN}"
    reading = None if unread else earlier.reading
    lost = check_reading(out, reading, accepted=accept_fewer, name=name)
    if lost:
        outcome.message = (
            f"{name}: read anew, the delivery has {lost} patient(s) fewer than before; if the change "
            "of the spec or of study.yaml was not meant to leave them out, take it back"
        )
    before = usable(earlier.before) if mode == "snapshot" else None
    # What was loaded before has been accepted: it is not held for the same patients again.
    accepted = accept_fewer or earlier.reading is not None
    try:
        check_shrink(out, before, accepted=accepted, name=name)
        check_rows(out, before, accepted=accepted, name=name)
    except FileError:
        parts.write_packet(folder, outcome)  # whom the data manager has to ask about
        raise
    _count(outcome, tally(out))
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
