"""Removals of patients that have begun and are not complete: noted, so that the next command ends them.

Between its first change and its last, a removal stands in `vault/forgetting.json`: the only place that
knows the id once the vault is clean and the published state is not yet. A run ends what it finds there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from flows.folder import StudyFolder, write_json
from schemas.errors import StudyError

FILE = "forgetting.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for: a patient of a center, and whether delivered files go too."""

    center_id: str
    patient_id: str
    delete_deliveries: bool = False


def begin(folder: StudyFolder, asked: Asked) -> None:
    """Notes a removal before its first change."""
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


def _write(folder: StudyFolder, left: list[Asked]) -> None:
    if left:
        write_json(folder.vault / FILE, [asdict(asked) for asked in left])
    else:
        (folder.vault / FILE).unlink(missing_ok=True)


def _same(one: Asked, other: Asked) -> bool:
    return (one.center_id, one.patient_id) == (other.center_id, other.patient_id)
