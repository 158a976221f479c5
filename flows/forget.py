"""`carmony forget STUDY CENTER ID`: a patient who has withdrawn is taken out of the study.

First a tombstone is set (a keyed hash of the id), so that no later delivery brings the patient back. Then
staged rows, findings, queries, the id map, packets and answers lose the patient, a new load is
published, and published states that hold the patient are deleted. Each step can be done twice: a command that
was interrupted is given again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from flows import parts, results, stages
from flows.folder import StudyFolder, open_study_folder, private_files
from flows.forget_search import found_in, search
from flows.outcome import PUBLISHED, RunOutcome
from flows.run import publish_load
from flows.show import Silent
from schemas.errors import StudyError

SEARCHED = 4  # shorter ids stand in files by chance


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

    @property
    def complete(self) -> bool:
        """True if every file was searched, and nothing but named deliveries holds the patient."""
        return self.state == PUBLISHED and not self.still_found and not self.not_searched


def forget(arguments: argparse.Namespace) -> int:
    """Runs `carmony forget`; exit code 1 if a file holds the patient, or could not be searched."""
    patient = sys.stdin.readline() if arguments.patient == "-" else arguments.patient
    done = forget_patient(
        Path(arguments.study), arguments.center, patient.strip(), arguments.delete_deliveries
    )
    print(json.dumps(asdict(done)) if arguments.json else _text(done, arguments.study))
    return 0 if done.complete else 1


def forget_patient(
    study: Path, center_id: str, patient_id: str, delete_deliveries: bool = False
) -> Forgotten:
    """Removes a patient from a study.

    Args:
        study: the study folder.
        center_id: the center.
        patient_id: the center's own id of the patient.
        delete_deliveries: also delete delivered files that hold the patient.

    Raises:
        StudyError: the study has no such center, or nothing of such a patient.
    """
    from transforms.harmonize.privacy_withdrawn import Withdrawn, read_marks
    from warehouse.forget import is_known, remove_patient, set_tombstone
    from warehouse.pseudonyms import Pseudonymizer

    folder = open_study_folder(study)
    root = folder.root
    with private_files(), parts.run_lock(str(root)):
        if not folder.spec(center_id).is_file() and not folder.staged(center_id).is_dir():
            raise StudyError(
                f"The study has no center '{center_id}'.",
                fix="write the id as the file in centers/ is named",
            )
        pseudonyms = Pseudonymizer.of_study(root, parts.load_study(folder).id)
        usubjid = pseudonyms.usubjid(center_id, patient_id)
        withdrawn = Withdrawn(center_id, pseudonyms.key_for("withdrawn"), frozenset())
        mark = withdrawn.mark(patient_id)
        again = mark in read_marks(root).get(center_id, [])
        if not patient_id or not (again or is_known(root, center_id, patient_id)):
            raise StudyError(
                f"Nothing of such a patient of center '{center_id}' is in the study.",
                fix="write the id as the center does; capital letters and zeros count",
            )
        set_tombstone(root, withdrawn, patient_id)
        removed = remove_patient(root, center_id, patient_id)
        done = Forgotten(center_id, mark, removed.rows, removed.findings, removed.queries)
        words = [usubjid] + ([patient_id] if len(patient_id) >= SEARCHED else [])
        done.id_too_short = len(words) == 1
        _packets_and_answers(folder, center_id, patient_id, words, done)
        _publish(folder, done)
        _earlier_states(folder, usubjid, done)
        held = _deliveries(folder, center_id, words, removed.deliveries)
        _delivered_files(folder, held, delete_deliveries, done)
        _search(folder, words, done)
        _note(folder, done)
    return done


def _packets_and_answers(
    folder: StudyFolder, center_id: str, patient_id: str, words: list[str], done: Forgotten
) -> None:
    """Files that hold the patient go; findings of the deliveries in force are written again."""
    if done.id_too_short:
        words = [*words, patient_id]  # better a packet too many than one too few
    for place in (
        folder.vault / "packets" / center_id,
        folder.vault / "answers" / center_id,
        folder.answers / center_id,
    ):
        for path in found_in(place, words) if place.is_dir() else []:
            path.unlink()
            done.files_removed.append(_shown(folder, path))
    from warehouse.packets import write_packet

    for staged in parts.current_deliveries(folder):
        if staged.center_id == center_id:
            write_packet(
                folder.root,
                center_id,
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


def _earlier_states(folder: StudyFolder, usubjid: str, done: Forgotten) -> None:
    for home in (folder.published / "history", folder.vault / "rebuilt"):
        for path in found_in(home, [usubjid]) if home.is_dir() else []:
            path.unlink()
            done.files_removed.append(_shown(folder, path))
            if home.name == "history":
                done.states_removed.append(int(path.stem))


def _deliveries(
    folder: StudyFolder, center_id: str, words: list[str], staged: set[str]
) -> list[Path]:
    """Copies of deliveries that hold the patient, and what they were copied from."""
    home = folder.deliveries(center_id)
    if not home.is_dir():
        return []
    hits = {path.relative_to(home).parts[0] for path in found_in(home, words)} | staged
    index_file = home / "index.json"
    index = json.loads(index_file.read_text(encoding="utf-8")) if index_file.is_file() else {}
    entries = [
        folder.inbox / center_id / name
        for name, entry in sorted(index.items())
        if entry.get("delivery_id") in hits
    ]
    copies = [home / name for name in sorted(hits) if (home / name).is_dir()]
    return [path for path in (*copies, *entries) if path.exists()]


def _delivered_files(folder: StudyFolder, held: list[Path], delete: bool, done: Forgotten) -> None:
    for path in held:
        if not delete:
            done.deliveries.append(_shown(folder, path))
            continue
        if path.is_dir():
            path.chmod(0o700)
            for inner in path.rglob("*"):
                inner.chmod(0o700 if inner.is_dir() else 0o600)
            shutil.rmtree(path)
        else:
            path.unlink()
        done.files_removed.append(_shown(folder, path))


def _search(folder: StudyFolder, words: list[str], done: Forgotten) -> None:
    named = [folder.root / place for place in done.deliveries]
    found = search(folder.root, words, named)
    done.still_found = [_shown(folder, path) for path in found.hits]
    done.not_searched = [_shown(folder, path) for path in found.not_searched]


def _note(folder: StudyFolder, done: Forgotten) -> None:
    from flows.trail_run import note

    facts = {
        "center_id": done.center_id,
        "tombstone": done.tombstone,
        "load_id": done.load_id,
        "outcome": done.state,
        "states_removed": done.states_removed,
    }
    note(folder.root, "forget", facts)


def _shown(folder: StudyFolder, path: Path) -> str:
    return path.relative_to(folder.root).as_posix()


def _text(done: Forgotten, study: str) -> str:
    lines = [
        f"removed {done.rows} row(s), {done.findings} finding(s), {done.queries} quer(y/ies) of the "
        f"patient of {done.center_id}",
        f"published as load {done.load_id}; later deliveries of the patient are excluded (withdrawn)",
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
        "not reached: packets that were sent, copies that others made, backups, reports printed before"
    )
    return "\n".join(lines)
