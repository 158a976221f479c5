"""Deliveries in force that should be read again and cannot be: their files were deleted when a patient was forgotten.

A change of the spec, of `study.yaml` or of the program has no effect on them. That is no fault of anybody, and
it is said in every run until a newer delivery takes their place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flows import parts
from flows.fingerprint import spec_hash, staging_code
from flows.folder import StudyFolder

if TYPE_CHECKING:
    from warehouse.loads import StagedDelivery

_TOLD = (
    "note: {center}: its spec, study.yaml or Carmony has changed since its {deliveries} {was} read, and the files "
    "are no longer kept (as after 'carmony forget --delete-deliveries'): what is published of {it} is as read "
    "before; the change takes effect {when}"
)


def notes(root: str, centers: Iterable[str]) -> list[str]:
    """One note for each of these centers with such deliveries, by center."""
    folder = StudyFolder(Path(root))
    log = parts.read_log(folder)
    found: dict[str, list[StagedDelivery]] = defaultdict(list)
    for center_id in sorted(set(centers)):
        for staged in log.current(center_id):
            if (folder.deliveries(center_id) / staged.delivery_id).is_dir():
                continue  # it is read again if it has to be
            spec, code = spec_hash(folder, center_id), staging_code()
            if not log.is_known(center_id, staged.delivery_id, spec, code):
                found[center_id].append(staged)
    return [_told(center_id, deliveries) for center_id, deliveries in found.items()]


def _told(center_id: str, deliveries: list[StagedDelivery]) -> str:
    one = len(deliveries) == 1
    received = ", ".join(str(staged.received_on) for staged in deliveries)
    adds = deliveries[-1].mode == "append"  # an earlier delivery stays in force beside the next
    return _TOLD.format(
        center=center_id,
        deliveries=f"{'delivery' if one else 'deliveries'} of {received}",
        was="was" if one else "were",
        it="it" if one else "them",
        when="for what the center sends again" if adds else "with the next delivery",
    )
