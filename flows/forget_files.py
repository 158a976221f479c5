"""The files of a study that hold a patient who has withdrawn: found, deleted or named."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.folder import StudyFolder, write_json
from flows.forget_columns import IdColumns, id_columns
from flows.forget_search import Searched, found_in, search

SEARCHED = 4  # shorter ids stand in files by chance, whatever signs are in them
_MADE_ANEW = frozenset({"warehouse.duckdb", "report", "quality", "history"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    Attributes:
        folder: the study.
        center_id: the patient's center.
        patient_id: the center's own id.
        usubjid: the pseudonym.
        others: ids of other patients of the study.
        shared: another center has a patient of the same id: it says something in this center's folders only.
        columns: the columns of ids of the center, if the id stands in files by chance: it is looked for there
            alone, and in the center's folders alone.
    """

    folder: StudyFolder
    center_id: str
    patient_id: str
    usubjid: str
    others: frozenset[str]
    shared: bool
    columns: IdColumns | None = None

    @property
    def too_short(self) -> bool:
        """True if the id stands in files by chance: as text they are searched for the pseudonym only."""
        return self.columns is not None

    @property
    def words(self) -> list[str]:
        """What is searched for in the files of the center."""
        return [self.usubjid] if self.too_short else [self.usubjid, self.patient_id]

    def own_places(self) -> list[Path]:
        """Folders that belong to the center alone."""
        folder, center = self.folder, self.center_id
        places = [folder.inbox / center, folder.answers / center]
        return [place for place in [*places, *folder.vault.glob(f"*/{center}")] if place.is_dir()]

    def shared_places(self) -> list[Path]:
        """What of the vault tells centers apart by a column."""
        vault = self.folder.vault
        return [vault / "id_map.parquet", vault / "queries", vault / "study_findings"]

    def found_in(self, place: Path, words: list[str] | None = None) -> list[Path]:
        """Files of a folder of the center that hold the patient, and not only one with a longer id.

        Args:
            place: the folder.
            words: what to look for, as text and nothing else; default `words` and the columns of ids.
        """
        if not place.is_dir():
            return []
        found = found_in(place, words or self.words, others=self.others)
        in_columns = self.columns.files(place, found) if self.columns and words is None else []
        return sorted({*found, *in_columns})


def wanted_of(folder: StudyFolder, center_id: str, patient_id: str) -> Wanted:
    """What to look for of a patient, known to the study or not."""
    from flows.parts import load_study
    from transforms.harmonize.privacy_withdrawn import stands_by_chance
    from warehouse.forget import ids_of
    from warehouse.pseudonyms import Pseudonymizer

    known = ids_of(folder.root, center_id)
    others = frozenset(one for _, one in known if one != patient_id)
    shared = any(one == patient_id and center != center_id for center, one in known)
    pseudonyms = Pseudonymizer.of_study(folder.root, load_study(folder).id)
    usubjid = pseudonyms.usubjid(center_id, patient_id)
    by_chance = len(patient_id) < SEARCHED or stands_by_chance(patient_id)
    columns = id_columns(folder, center_id, patient_id) if by_chance else None
    return Wanted(folder, center_id, patient_id, usubjid, others, shared, columns)


def in_files(wanted: Wanted) -> bool:
    """Whether a delivered file, a packet or an answer holds the id."""
    return any(wanted.found_in(place) for place in wanted.own_places())


def packets_and_answers(wanted: Wanted) -> list[Path]:
    """Those that hold the patient."""
    folder, center = wanted.folder, wanted.center_id
    homes = (folder.vault / "packets", folder.vault / "answers", folder.answers)
    found = {path for home in homes for path in wanted.found_in(home / center)}
    letters = any(char.isalpha() for char in wanted.patient_id)
    if wanted.columns and letters and not wanted.patient_id.isalpha():
        # Of a short id with letters and digits or signs: better a packet too many than one too few.
        word = [wanted.patient_id]
        found |= {path for home in homes for path in wanted.found_in(home / center, word)}
    return sorted(found)


def earlier_states(wanted: Wanted) -> list[Path]:
    """Published states of earlier loads, and states built again, that hold the patient."""
    folder = wanted.folder
    homes = (folder.published / "history", folder.vault / "rebuilt")
    return [path for home in homes for path in wanted.found_in(home, [wanted.usubjid])]


def deliveries(wanted: Wanted, staged: set[str]) -> list[Path]:
    """Copies of deliveries that hold the patient, those that failed too, and their entries of the inbox.

    Args:
        wanted: the patient.
        staged: ids of deliveries whose staged rows held the patient.
    """
    home = wanted.folder.deliveries(wanted.center_id)
    inbox = wanted.folder.inbox / wanted.center_id
    hits = {path.relative_to(home).parts[0] for path in wanted.found_in(home)} | staged
    index = _index(home)
    entries = {name for name, entry in index.items() if entry.get("delivery_id") in hits}
    entries |= {path.relative_to(inbox).parts[0] for path in wanted.found_in(inbox)}
    copies = [home / name for name in sorted(hits) if (home / name).is_dir()]
    return [
        path for path in (*copies, *(inbox / name for name in sorted(entries))) if path.exists()
    ]


def _index(home: Path) -> dict[str, Any]:
    """What `flows.pull` keeps of the entries of the inbox, by their name."""
    path = home / "index.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def drop_deleted(folder: StudyFolder, center_id: str) -> None:
    """Takes out of the index what stands neither in the inbox nor in the vault: its names may tell of patients.

    What was loaded before is known by its hash, which the load log keeps.
    """
    home, inbox = folder.deliveries(center_id), folder.inbox / center_id
    index = _index(home)
    kept = {
        name: entry
        for name, entry in index.items()
        if (home / entry["delivery_id"]).is_dir() or (inbox / name).exists()
    }
    if len(kept) < len(index):
        write_json(home / "index.json", kept)


def delete(path: Path, home: Path) -> None:
    """Deletes a delivery, the sealed copy of one too.

    A folder is taken out of its place in one step: a run must not meet half of it as a delivery. What a
    crash leaves of it is swept with half-done copies (`recovery.sweep`).

    Args:
        path: the file or folder.
        home: the center's folder in `vault/deliveries`.
    """
    if not path.is_dir():
        path.unlink()
        return
    path.chmod(0o700)
    gone = home / f".incoming-{path.name}.forgotten"
    if home.is_dir():
        path = path.rename(gone)
    for inner in path.rglob("*"):
        inner.chmod(0o700 if inner.is_dir() else 0o600)
    shutil.rmtree(path)


def still_there(wanted: Wanted, leave_out: list[Path]) -> Searched:
    """The files of the study that hold the patient now, but for deliveries that are named already."""
    root = wanted.folder.root
    if wanted.columns:
        done = search(root, [wanted.usubjid], leave_out)
        places = [*wanted.own_places(), *wanted.shared_places()]
        in_columns = {path for one in places for path in wanted.columns.files(one, leave_out)}
        done.hits = sorted({*done.hits, *in_columns})
        return done
    if not wanted.shared:
        return search(root, wanted.words, leave_out, wanted.others)
    done = search(root, [wanted.usubjid], leave_out)
    for place in wanted.own_places():
        done.hits += search(place, wanted.words, leave_out, wanted.others).hits
    done.hits = sorted(set(done.hits))
    return done


def made_before(folder: StudyFolder) -> list[Path]:
    """What stands in `published` and is not made anew by a load: reports for outside, whatever else was put there."""
    if not folder.published.is_dir():
        return []
    found = folder.published.iterdir()
    return sorted(path for path in found if path.name[0] != "." and path.name not in _MADE_ANEW)
