"""`carmony forget STUDY CENTER ID`: a patient who has withdrawn is taken out of the study.

First a tombstone is set (keyed hashes of the id and of its spellings), so that no later delivery brings the patient back. Then
staged rows, findings, queries, the id map, packets and answers lose the patient, a new load is
published, and published states that hold the patient are deleted. Each step can be done twice: what
was interrupted is ended by the same command or by the next run (`forget_pending`, `clean`, `conclude`).
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from dataclasses import asdict
from pathlib import Path

from flows import forget_files, forget_pending, parts, results, stages
from flows.folder import StudyFolder, open_study_folder, private_files
from flows.forget_pending import Asked
from flows.forget_steps import (
    Forgotten,
    clean,
    conclude,
    note_removal,
    shown,
    tombstones,
)
from flows.outcome import PUBLISHED, RunOutcome
from flows.run import publish_load
from flows.show import Silent
from schemas.errors import StudyError

LISTED = 10  # files that were deleted, in the text


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
    from warehouse.forget import is_known

    folder = open_study_folder(study)
    root, patient_id = folder.root, unicodedata.normalize("NFC", patient_id.strip())
    with private_files(), parts.run_lock(str(root)):
        withdrawn = tombstones(folder, center_id)
        wanted = forget_files.wanted_of(folder, center_id, patient_id)
        again = withdrawn.mark(patient_id) in read_marks(root).get(center_id, [])
        there = is_known(root, center_id, patient_id) or forget_files.in_files(wanted)
        if not patient_id or not (again or there or in_advance):
            raise StudyError(
                f"Nothing of such a patient of center '{center_id}' is in the study.",
                fix="write the id as the center does, capital letters and zeros count; to enter somebody "
                "who has not come in any delivery yet, add --in-advance",
            )
        asked = Asked(center_id, patient_id, delete_deliveries)
        forget_pending.begin(folder, asked)
        removal = clean(folder, asked, wanted)
        removal.done.in_advance = not (again or there)
        if again or removal.changed:
            _publish(folder, removal.done)
        else:  # nothing that is published was made of the patient's rows
            removal.done.state = PUBLISHED
        removal.done.nothing_published = not folder.warehouse.is_file()
        conclude(folder, removal)
    return removal.done


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
        withdrawn = tombstones(folder, center_id)
        known, mark = read_marks(folder.root).get(center_id, []), withdrawn.other(patient_id)
        if withdrawn.mark(patient_id) in known or withdrawn.alike(patient_id) not in known:
            raise StudyError(
                f"The id looks like that of no other patient of center '{center_id}' who has withdrawn.",
                fix="write the id as it stands in the held rows, which the findings of STR-04 name",
            )
        add_marks(folder.root, {center_id: [mark]})
        done = Forgotten(center_id, "", state=PUBLISHED, another_patient=True)
        note_removal(folder, done, [mark])
    return done


def _publish(folder: StudyFolder, done: Forgotten) -> None:
    """A new load without the patient, and the report on it."""
    if not folder.warehouse.is_file():
        from warehouse.build import remove_orphans

        remove_orphans(folder.root)  # what the audit stopped was made of the patient's rows
        done.state = PUBLISHED  # nothing was published before: nothing holds the patient
        return
    outcome = RunOutcome()
    publish_load(outcome, str(folder.root), Silent())
    done.state, done.load_id = outcome.state, outcome.load_id
    if outcome.state != PUBLISHED:
        raise StudyError(
            "The state without the patient could not be published; what was published before still "
            f"holds the patient: {'; '.join(outcome.messages)}",
            fix="correct what the audit names, then give this command again, or 'carmony run'",
        )
    if folder.report.is_dir():
        stages.report(str(folder.root))
    results.fill_places(outcome, str(folder.root))
    done.made_before = [shown(folder, path) for path in forget_files.made_before(folder)]


def _published(done: Forgotten) -> str:
    if done.load_id:
        return f"published as load {done.load_id}"
    if done.nothing_published:
        return "nothing is published yet"
    return "nothing that is published was made of the patient's rows: it stays as it is"


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
            _published(done),
            "later deliveries of the patient are excluded (withdrawn); rows of an id that is written almost "
            "alike are held until somebody says whose they are",
        ]
    if done.states_removed:
        loads = ", ".join(map(str, done.states_removed))
        lines.append(f"states removed from published/history, as they held the patient: {loads}")
    if done.files_removed:
        lines.append(
            f"deleted {len(done.files_removed)} file(s) or folder(s) that held the patient:"
        )
        anew = " (written again without the patient)"
        lines += [
            f"  {place}{anew if (Path(study) / place).exists() else ''}"
            for place in done.files_removed[:LISTED]
        ]
        if more := len(done.files_removed[LISTED:]):
            lines.append(f"  and {more} more (--json names them all)")
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
        lines.append(
            "  a report that was released before and a new one differ by this patient alone: do not release both"
        )
    if done.still_found:
        lines.append("STILL FOUND in:")
        lines += [f"  {place}" for place in done.still_found]
        lines.append(
            "  a cell of another patient or a name may hold the id there: look, ask the center for a delivery without it, "
            "and delete what is left once that is loaded"
        )
    if done.not_searched:
        lines.append(
            "NOT SEARCHED, as damaged, locked or too large to unpack; look into them, or delete them:"
        )
        lines += [f"  {place}" for place in done.not_searched]
    if done.id_too_short:
        lines.append(
            "the center's id is a number or a short word, which stands in files by chance: it was looked for in "
            "columns of ids only; text was searched for the pseudonym"
        )
    lines.append(
        "not reached: packets that were sent, copies that others made, backups, reports printed, exported or "
        "released before"
    )
    return "\n".join(lines)
