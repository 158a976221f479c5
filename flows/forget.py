"""`carmony forget STUDY CENTER ID`: a patient who has withdrawn is taken out of the study.

First a tombstone is set (keyed hashes of the id and of its spellings), so that no later delivery brings the patient back. Then
staged rows, findings, queries, the id map, packets and answers lose the patient, a new load is
published, and published states that hold the patient are deleted. Each step can be done twice: a command that
was interrupted is given again.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flows import forget_files, parts, results, stages
from flows.folder import StudyFolder, open_study_folder, private_files
from flows.forget_files import Wanted
from flows.outcome import PUBLISHED, RunOutcome
from flows.run import publish_load
from flows.show import Silent
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
    id_too_short: bool = False  # the local id was not searched for
    in_advance: bool = False  # nothing of the study holds the patient: only the tombstone was set
    another_patient: bool = False  # the id is not that of the withdrawn patient whom it looks like
    made_before: list[str] = field(default_factory=list)  # outputs of states with the patient

    @property
    def complete(self) -> bool:
        """True if every file was searched, and nothing but named deliveries holds the patient."""
        return self.state == PUBLISHED and not self.still_found and not self.not_searched


def forget(arguments: argparse.Namespace) -> int:
    """Runs `carmony forget`; exit code 1 if a file holds the patient, or could not be searched."""
    patient = sys.stdin.readline() if arguments.patient == "-" else arguments.patient
    study, center = Path(arguments.study), arguments.center
    if arguments.another_patient:
        done = another_patient(study, center, patient)
    else:
        done = forget_patient(
            study, center, patient, arguments.delete_deliveries, arguments.in_advance
        )
    print(json.dumps(asdict(done)) if arguments.json else _text(done, arguments.study))
    return 0 if done.complete else 1


def forget_patient(
    study: Path,
    center_id: str,
    patient_id: str,
    delete_deliveries: bool = False,
    in_advance: bool = False,
) -> Forgotten:
    """Removes a patient from a study.

    Args:
        study: the study folder.
        center_id: the center.
        patient_id: the center's own id of the patient.
        delete_deliveries: also delete delivered files that hold the patient.
        in_advance: also enter a patient of whom the study holds nothing yet.

    Raises:
        StudyError: the study has no such center, or nothing of such a patient.
    """
    from transforms.harmonize.privacy_withdrawn import read_marks
    from warehouse.forget import is_known, remove_patient, set_tombstone

    folder = open_study_folder(study)
    root, patient_id = folder.root, unicodedata.normalize("NFC", patient_id.strip())
    with private_files(), parts.run_lock(str(root)):
        withdrawn = _tombstones(folder, center_id)
        wanted = forget_files.wanted_of(folder, center_id, patient_id)
        again = withdrawn.mark(patient_id) in read_marks(root).get(center_id, [])
        there = is_known(root, center_id, patient_id) or forget_files.in_files(wanted)
        if not patient_id or not (again or there or in_advance):
            raise StudyError(
                f"Nothing of such a patient of center '{center_id}' is in the study.",
                fix="write the id as the center does, capital letters and zeros count; to enter somebody "
                "who has not come in any delivery yet, add --in-advance",
            )
        marks = set_tombstone(root, withdrawn, patient_id)
        removed = remove_patient(root, center_id, patient_id)
        done = Forgotten(center_id, marks[0], removed.rows, removed.findings, removed.queries)
        done.id_too_short, done.in_advance = wanted.too_short, not (again or there)
        _packets_and_answers(wanted, done)
        if again or removed.anything or wanted.found_in(folder.published, [wanted.usubjid]):
            _publish(folder, done)
        else:
            done.state = PUBLISHED  # nothing that is published was made of the patient's rows
        _earlier_states(wanted, done)
        _delivered_files(wanted, removed.deliveries, delete_deliveries, done)
        _search(wanted, done)
        _note(folder, done, marks)
    return done


def another_patient(study: Path, center_id: str, patient_id: str) -> Forgotten:
    """Notes that an id is not that of the withdrawn patient whom it looks like; the next run reads its rows.

    Raises:
        StudyError: the study has no such center, or the id looks like that of nobody who has withdrawn.
    """
    from transforms.harmonize.privacy_withdrawn import read_marks
    from warehouse.forget import add_marks

    folder = open_study_folder(study)
    patient_id = unicodedata.normalize("NFC", patient_id.strip())
    with private_files(), parts.run_lock(str(folder.root)):
        withdrawn = _tombstones(folder, center_id)
        known, mark = read_marks(folder.root).get(center_id, []), withdrawn.other(patient_id)
        if withdrawn.mark(patient_id) in known or withdrawn.alike(patient_id) not in known:
            raise StudyError(
                f"The id looks like that of no other patient of center '{center_id}' who has withdrawn.",
                fix="write the id as it stands in the held rows, which the findings of STR-04 name",
            )
        add_marks(folder.root, {center_id: [mark]})
        done = Forgotten(center_id, "", state=PUBLISHED, another_patient=True)
        _note(folder, done, [mark])
    return done


def _tombstones(folder: StudyFolder, center_id: str) -> Withdrawn:
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
        done.files_removed.append(_shown(folder, path))
    for staged in parts.current_deliveries(folder):
        if staged.center_id == wanted.center_id:
            write_packet(
                folder.root,
                staged.center_id,
                staged.delivery_id,
                staged.folder,
                received_on=staged.received_on,
            )


def _publish(folder: StudyFolder, done: Forgotten) -> None:
    """A new load without the patient, and the report on it."""
    if not folder.warehouse.is_file():
        done.state = PUBLISHED  # nothing was published before: nothing holds the patient
        return
    outcome = RunOutcome()
    publish_load(outcome, str(folder.root), Silent())
    done.state, done.load_id = outcome.state, outcome.load_id
    if outcome.state != PUBLISHED:
        raise StudyError(
            "The state without the patient could not be published; what was published before still "
            f"holds the patient: {'; '.join(outcome.messages)}",
            fix="correct what the audit names, then give this command again",
        )
    if folder.report.is_dir():
        stages.report(str(folder.root))
    results.fill_places(outcome, str(folder.root))
    done.made_before = [_shown(folder, path) for path in forget_files.made_before(folder)]


def _earlier_states(wanted: Wanted, done: Forgotten) -> None:
    for path in forget_files.earlier_states(wanted):
        path.unlink()
        done.files_removed.append(_shown(wanted.folder, path))
        if path.parent.name == "history":
            done.states_removed.append(int(path.stem))


def _delivered_files(wanted: Wanted, staged: set[str], delete: bool, done: Forgotten) -> None:
    for path in forget_files.deliveries(wanted, staged):
        if delete:
            forget_files.delete(path)
        (done.files_removed if delete else done.deliveries).append(_shown(wanted.folder, path))


def _search(wanted: Wanted, done: Forgotten) -> None:
    named = [wanted.folder.root / place for place in done.deliveries]
    found = forget_files.still_there(wanted, named)
    done.still_found = [_shown(wanted.folder, path) for path in found.hits]
    done.not_searched = [_shown(wanted.folder, path) for path in found.not_searched]


def _note(folder: StudyFolder, done: Forgotten, marks: list[str]) -> None:
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


def _shown(folder: StudyFolder, path: Path) -> str:
    return path.relative_to(folder.root).as_posix()


def _text(done: Forgotten, study: str) -> str:
    if done.another_patient:
        return f"noted: this id of {done.center_id} is another patient's; the next run reads the held rows"
    if done.in_advance:
        lines = [
            f"entered in advance: nothing of the study holds this id of {done.center_id}; rows of it are "
            "excluded (withdrawn) when they come. If it was misspelt, enter the right one too"
        ]
    else:
        lines = [
            f"removed {done.rows} row(s), {done.findings} finding(s), {done.queries} quer(y/ies) of the "
            f"patient of {done.center_id}",
            f"published as load {done.load_id}"
            if done.load_id
            else "nothing that is published was made of the patient's rows: it stays as it is",
            "later deliveries of the patient are excluded (withdrawn); rows of an id that is written almost "
            "alike are held until somebody says whose they are",
        ]
    if done.states_removed:
        loads = ", ".join(map(str, done.states_removed))
        lines.append(f"states removed from published/history, as they held the patient: {loads}")
    if done.deliveries:
        lines.append("delivered files that still hold the patient, as they came:")
        lines += [f"  {place}" for place in done.deliveries]
        lines.append(
            f"  to delete them: carmony forget {study} {done.center_id} - --delete-deliveries"
        )
    if done.made_before:
        lines.append(
            "made of states with the patient (counts may include the patient); make them again:"
        )
        lines += [f"  {place}" for place in done.made_before]
    if done.still_found:
        lines.append("STILL FOUND in:")
        lines += [f"  {place}" for place in done.still_found]
    if done.not_searched:
        lines.append(
            "NOT SEARCHED, as damaged, locked or too large to unpack; look into them, or delete them:"
        )
        lines += [f"  {place}" for place in done.not_searched]
    if done.id_too_short:
        lines.append(
            "searched for the pseudonym only: the center's id is too short to be told from other text"
        )
    lines.append(
        "not reached: packets that were sent, copies that others made, backups, reports printed, exported or "
        "released before"
    )
    return "\n".join(lines)
