"""The steps of a removal, in an order that can be begun again at any point.

Tombstone, vault, packets and answers (`clean`); then a state without the patient is published, by the
command or by a run; then earlier states, delivered files, trail and search (`conclude`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from flows import forget_files, forget_pending, parts
from flows.folder import StudyFolder
from flows.forget_files import Wanted
from flows.forget_pending import Asked
from flows.outcome import PUBLISHED, RunOutcome
from schemas.errors import StudyError

if TYPE_CHECKING:
    from transforms.harmonize.privacy_withdrawn import Withdrawn


@dataclass(slots=True)
class Forgotten:
    """What was done. Paths are relative to the study folder."""

    center_id: str
    tombstone: str
    rows: int = 0
    findings: int = 0
    queries: int = 0
    state: str = ""  # of the new load
    load_id: int | None = None
    states_removed: list[int] = field(default_factory=list)  # loads whose published state is gone
    files_removed: list[str] = field(default_factory=list)
    deliveries: list[str] = field(
        default_factory=list
    )  # delivered files that still hold the patient
    still_found: list[str] = field(default_factory=list)  # any other file that does
    not_searched: list[str] = field(default_factory=list)  # files that nobody could look into
    id_too_short: bool = False  # the local id was looked for in columns of ids only
    nothing_published: bool = False
    in_advance: bool = False  # nothing of the study holds the patient: only the tombstone was set
    another_patient: bool = False  # the id is not that of the withdrawn patient whom it looks like
    made_before: list[str] = field(default_factory=list)  # outputs of states with the patient

    @property
    def complete(self) -> bool:
        """True if every file was searched, and nothing but named deliveries holds the patient."""
        return self.state == PUBLISHED and not self.still_found and not self.not_searched


@dataclass(slots=True)
class Removal:
    """A removal on its way: the vault is clean, what is published may not be.

    Attributes:
        asked: what was asked for.
        wanted: what is looked for in files.
        done: what was done so far.
        marks: the tombstones.
        staged: deliveries whose staged rows held the patient.
        changed: whether something that is published may have been made of the patient's rows.
    """

    asked: Asked
    wanted: Wanted
    done: Forgotten
    marks: list[str]
    staged: set[str]
    changed: bool


def clean(folder: StudyFolder, asked: Asked, wanted: Wanted | None = None) -> Removal:
    """Sets the tombstone and takes the patient out of the vault; for the holder of the study's lock."""
    from warehouse.forget import remove_patient, set_tombstone
    from warehouse.forget_names import mask_names

    wanted = wanted or forget_files.wanted_of(folder, asked.center_id, asked.patient_id)
    marks = set_tombstone(folder.root, tombstones(folder, asked.center_id), asked.patient_id)
    removed = remove_patient(folder.root, asked.center_id, asked.patient_id)
    if asked.delete_deliveries:  # before findings and packets are written again
        mask_names(folder.root, asked.center_id, asked.patient_id)
    done = Forgotten(asked.center_id, marks[0], removed.rows, removed.findings, removed.queries)
    done.id_too_short = wanted.too_short
    _packets_and_answers(wanted, done)
    changed = removed.anything or bool(wanted.found_in(folder.published, [wanted.usubjid]))
    return Removal(asked, wanted, done, marks, removed.deliveries, changed)


def conclude(folder: StudyFolder, removal: Removal) -> None:
    """What is left to do once a state without the patient is published.

    Noted first: a delivery of which half is deleted must not be met by a run as a new one.
    """
    done = removal.done
    forget_pending.begin(folder, replace(removal.asked, published=True))
    _earlier_states(removal.wanted, done)
    _delivered_files(removal.wanted, removal.staged, removal.asked.delete_deliveries, done)
    note_removal(folder, done, removal.marks)
    forget_pending.end(folder, removal.asked)
    _search(removal.wanted, done)


def clean_pending(root: str) -> list[Removal]:
    """The removals that were interrupted, with the vault clean of their patients; for a run."""
    folder = StudyFolder(Path(root))
    left = [asked for asked in forget_pending.pending(folder) if not asked.published]
    return [clean(folder, asked) for asked in left]


def end_published(root: str) -> list[str]:
    """Ends removals of which only files are left, before a run looks at deliveries; gives notes on them."""
    folder, outcome = StudyFolder(Path(root)), RunOutcome()
    published = [asked for asked in forget_pending.pending(folder) if asked.published]
    conclude_pending(root, [clean(folder, asked) for asked in published], outcome)
    return outcome.messages


def conclude_pending(root: str, removals: list[Removal], outcome: RunOutcome) -> None:
    """Ends them after the run has published; says so in the messages of `outcome`."""
    for removal in removals:
        removal.done.state, removal.done.load_id = PUBLISHED, outcome.load_id
        conclude(StudyFolder(Path(root)), removal)
        done = removal.done
        outcome.messages.append(
            f"note: the removal of a patient of {done.center_id}, which was interrupted, is complete"
        )
        outcome.messages += [
            f"note: the patient of {done.center_id} who was removed is {what} {place}"
            for what, places in (
                ("still found in", done.still_found),
                ("still in the delivered file", done.deliveries),
                ("perhaps in a file that could not be searched:", done.not_searched),
            )
            for place in places
        ]


def tombstones(folder: StudyFolder, center_id: str) -> Withdrawn:
    """What makes the marks of a center's ids.

    Raises:
        StudyError: the study has no such center.
    """
    from transforms.harmonize.privacy_withdrawn import Withdrawn
    from warehouse.pseudonyms import Pseudonymizer

    if not folder.spec(center_id).is_file() and not folder.staged(center_id).is_dir():
        raise StudyError(
            f"The study has no center '{center_id}'.",
            fix="write the id as the file in centers/ is named",
        )
    pseudonyms = Pseudonymizer.of_study(folder.root, parts.load_study(folder).id)
    return Withdrawn(center_id, pseudonyms.key_for("withdrawn"), frozenset())


def _packets_and_answers(wanted: Wanted, done: Forgotten) -> None:
    """Files that hold the patient go; findings of the deliveries in force are written again."""
    from warehouse.packets import write_packet

    folder = wanted.folder
    for path in forget_files.packets_and_answers(wanted):
        path.unlink()
        done.files_removed.append(shown(folder, path))
    for staged in parts.current_deliveries(folder):
        if staged.center_id == wanted.center_id:
            write_packet(
                folder.root,
                staged.center_id,
                staged.delivery_id,
                staged.folder,
                received_on=staged.received_on,
            )


def _earlier_states(wanted: Wanted, done: Forgotten) -> None:
    for path in forget_files.earlier_states(wanted):
        path.unlink()
        done.files_removed.append(shown(wanted.folder, path))
        if path.parent.name == "history":
            done.states_removed.append(int(path.stem))


def _delivered_files(wanted: Wanted, staged: set[str], delete: bool, done: Forgotten) -> None:
    for path in forget_files.deliveries(wanted, staged):
        if delete:
            forget_files.delete(path, wanted.folder.deliveries(wanted.center_id))
        (done.files_removed if delete else done.deliveries).append(shown(wanted.folder, path))
    if delete:
        forget_files.drop_deleted(wanted.folder, wanted.center_id)


def _search(wanted: Wanted, done: Forgotten) -> None:
    named = [wanted.folder.root / place for place in done.deliveries]
    found = forget_files.still_there(wanted, named)
    done.still_found = [shown(wanted.folder, path) for path in found.hits]
    done.not_searched = [shown(wanted.folder, path) for path in found.not_searched]


def note_removal(folder: StudyFolder, done: Forgotten, marks: list[str]) -> None:
    """The entry of the audit trail: marks and counts, no id."""
    from flows.trail_run import note

    facts = {
        "center_id": done.center_id,
        **({"tombstone": done.tombstone} if done.tombstone else {}),
        "marks": marks,
        "load_id": done.load_id,
        "outcome": done.state,
        "states_removed": done.states_removed,
    }
    note(folder.root, "forget", facts)


def shown(folder: StudyFolder, path: Path) -> str:
    """The path from the study folder."""
    return path.relative_to(folder.root).as_posix()
