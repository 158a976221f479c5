"""Tombstones that the vault has lost come back before anything is read: from the audit trail, or from its head.

`vault/withdrawn.json` may be deleted, or the vault may come from an older backup. Without it a patient who has
withdrawn would be loaded again, and nobody would see it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flows import parts
from flows.folder import StudyFolder


def lost_marks(root: Path) -> dict[str, set[str]]:
    """Tombstones by center that stand in the trail and not in the vault, or only in the trail's head.

    Raises:
        StudyError: `vault/withdrawn.json` is damaged.
    """
    from transforms.harmonize.privacy_withdrawn import read_marks
    from warehouse.trail import withdrawn_marks

    told, head_only = withdrawn_marks(root)
    if not told and not head_only:
        return {}
    kept = {center: set(marks) for center, marks in read_marks(root).items()}
    lost = {center: marks - kept.get(center, set()) for center, marks in told.items()}
    for center, marks in head_only.items():
        lost[center] = lost.get(center, set()) | marks
    return {center: marks for center, marks in lost.items() if marks}


def restore(folder: StudyFolder) -> None:
    """Writes lost tombstones again, and takes out what was loaded without them; for the holder of the lock.

    Raises:
        StudyError: `vault/withdrawn.json` is damaged, or the key that the tombstones were made with is gone.
    """
    lost = lost_marks(folder.root)
    if not lost:
        return
    from flows.trail_run import note
    from warehouse.forget import add_marks

    # In this order a run that is killed in between does all of it again.
    patients = sum(_take_out(folder, center, marks) for center, marks in sorted(lost.items()))
    if patients:
        parts.remember_state(folder, {"key": None})  # what is published may hold them
    add_marks(folder.root, lost)
    for center, marks in sorted(lost.items()):
        note(
            folder.root,
            "forget",
            {"center_id": center, "marks": sorted(marks), "outcome": "restored"},
        )
    n = sum(":" not in mark for marks in lost.values() for mark in marks)
    _tell(
        f"vault/withdrawn.json had lost {n} patient(s) who have withdrawn; they are restored from the "
        "audit trail"
    )
    if patients:
        _tell(
            f"{patients} of them had been loaded again and are taken out; give carmony forget for them once "
            "more: published states, packets and delivered files may hold them"
        )


def _take_out(folder: StudyFolder, center: str, marks: set[str]) -> int:
    """Removes staged rows, findings and queries of the center's patients who have withdrawn."""
    from transforms.harmonize.privacy_withdrawn import Withdrawn, key_of
    from warehouse.forget import ids_of, remove_patient

    withdrawn = Withdrawn(center, key_of(folder.root), frozenset(marks))
    known = sorted({one for place, one in ids_of(folder.root, center) if place == center})
    back = withdrawn.among(known)
    for one in back:
        remove_patient(folder.root, center, one)
    return len(back)


def _tell(text: str) -> None:
    print(f"carmony: {text}", file=sys.stderr, flush=True)
