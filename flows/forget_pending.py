"""Removals of patients that have begun and are not complete: noted, so that the next command ends them.

Between its first change and its last, a removal stands in `vault/forgetting.json`: the only place that
knows the id once the vault is clean and the published state is not yet. A run ends what it finds there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.folder import StudyFolder, write_json
from schemas.errors import StudyError

if TYPE_CHECKING:
    from flows.forget_steps import Removal
    from flows.outcome import RunOutcome

FILE = "forgetting.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for.

    Attributes:
        center_id: the patient's center.
        patient_id: the center's own id.
        delete_deliveries: delivered files that hold the patient go too.
        published: a state without the patient is published; only files are left to be removed.
    """

    center_id: str
    patient_id: str
    delete_deliveries: bool = False
    published: bool = False


def begin(folder: StudyFolder, asked: Asked) -> None:
    """Notes a removal before its first change, and again once its state is published."""
    _write(folder, [*(one for one in pending(folder) if not _same(one, asked)), asked])


def end(folder: StudyFolder, asked: Asked) -> None:
    """The removal is complete: its id is no longer kept."""
    _write(folder, [one for one in pending(folder) if not _same(one, asked)])


def pending(folder: StudyFolder) -> list[Asked]:
    """Removals that are not complete, in the order in which they were asked for.

    Raises:
        StudyError: the file is damaged.
    """
    path = folder.vault / FILE
    if not path.is_file():
        return []
    try:
        return [Asked(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError):
        raise StudyError(
            f"vault/{FILE} is damaged: the removal of a patient has begun and is not complete.",
            fix=f"move vault/{FILE} away and give the 'carmony forget' command again that was interrupted",
        ) from None


def end_published(root: str) -> list[str]:
    """Ends removals of which only files are left, before a run looks at deliveries; gives notes on them."""
    if not pending(StudyFolder(Path(root))):
        return []
    from flows.forget_steps import end_published

    return end_published(root)


def resume(root: str) -> list[Removal]:
    """Cleans the vault of patients whose removal was interrupted: a state without them is due."""
    if not pending(StudyFolder(Path(root))):
        return []
    from flows.forget_steps import clean_pending

    return clean_pending(root)


def complete(root: str, removals: list[Removal], outcome: RunOutcome) -> None:
    """Ends these removals once a state without the patients is published; adds notes to `outcome`."""
    from flows.forget_steps import conclude_pending

    conclude_pending(root, removals, outcome)


def _write(folder: StudyFolder, left: list[Asked]) -> None:
    if left:
        write_json(folder.vault / FILE, [asdict(asked) for asked in left])
    else:
        (folder.vault / FILE).unlink(missing_ok=True)


def _same(one: Asked, other: Asked) -> bool:
    return (one.center_id, one.patient_id) == (other.center_id, other.patient_id)
