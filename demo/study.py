"""Writes the whole demo study: two rounds of twelve deliveries, and what is true of them."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from demo.cohort import build_cohort
from demo.dates import ROUND_ONE, ROUND_TWO
from demo.exports import WRITERS
from demo.faults import KINDS, Planter
from demo.grid import Export
from demo.marks import marks
from demo.model import Patient
from demo.queries import Asked, asked, query_rows
from demo.truth import fault_rows, marked_rows, write_truth

ROUNDS: dict[int, dt.date] = {1: ROUND_ONE, 2: ROUND_TWO}


def write_demo_study(folder: Path, patients: int = 139, seed: int = 2024) -> dict[str, Any]:
    """Write `folder/inbox`, `folder/truth` and, where it exists, a copy of `demo/study`.

    Args:
        folder: Made if it is not there. Files of an earlier study are overwritten.
        patients: 139 give the published counts exactly; any other number scales the cohort.
        seed: The same seed gives the same bytes.

    Returns:
        Numbers of patients, deliveries, files and faults per round, and the kinds of faults for
        which a small cohort had no fitting patient.
    """
    folder = Path(folder)
    cohort = build_cohort(patients, seed)
    members = {c: [p for p in cohort if p.center == c] for c in WRITERS}
    planter = Planter(members)
    told: list[dict[str, Any]] = []
    numbers: dict[str, Any] = {"patients": len(cohort), "deliveries": 0, "files": 0}
    sent: dict[int, dict[str, Export]] = {}
    questions: dict[int, list[Asked]] = {round_: [] for round_ in ROUNDS}
    for round_, date in ROUNDS.items():
        if round_ == 1:
            exports, planted = planter.plant_first(lambda: _exports(members, 1))
        else:
            exports = _exports(members, round_)
            planted = planter.plant(exports, round_)
        sent[round_] = exports
        for center, export in exports.items():
            target = folder / "inbox" / center / date.isoformat()
            target.mkdir(parents=True, exist_ok=True)
            WRITERS[center].write(export, target)
            own = [fault for fault in planted if fault.center == center]
            marked = marks(members[center], own, export, round_)
            told += fault_rows(own, export, round_)
            told += marked_rows(marked, export, round_)
            questions[round_] += asked(own, marked, export)
            numbers["deliveries"] += 1
            numbers["files"] += sum(1 for path in target.rglob("*") if path.is_file())
        numbers[f"faults_round_{round_}"] = len(planted)
    write_truth(folder / "truth", cohort, told, query_rows(questions[1], questions[2], sent))
    declared = Path(__file__).parent / "study"
    if declared.is_dir():
        shutil.copytree(declared, folder, dirs_exist_ok=True)
    return {**numbers, "kinds": len(KINDS), "not_planted": planter.missing}


def _exports(members: Mapping[str, Sequence[Patient]], round_: int) -> dict[str, Export]:
    """The exports of a round before any fault, of all centers that have patients."""
    return {c: writer.build(members[c], round_) for c, writer in WRITERS.items() if members[c]}
