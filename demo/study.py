"""Writes the whole demo study: two rounds of twelve deliveries, and what is true of them."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

from demo.cohort import build_cohort
from demo.dates import ROUND_ONE, ROUND_TWO
from demo.exports import WRITERS

ROUNDS: dict[int, dt.date] = {1: ROUND_ONE, 2: ROUND_TWO}


def write_demo_study(folder: Path, patients: int = 139, seed: int = 2024) -> dict[str, Any]:
    """Write `folder/inbox`, `folder/truth` and, where it exists, a copy of `demo/study`.

    Returns:
        Counts: patients, centers, deliveries, files, faults per round.
    """
    folder = Path(folder)
    cohort = build_cohort(patients, seed)
    files = 0
    for round_, date in ROUNDS.items():
        for center, writer in WRITERS.items():
            members = [p for p in cohort if p.center == center]
            if not members:
                continue
            export = writer.build(members, round_)
            target = folder / "inbox" / center / date.isoformat()
            target.mkdir(parents=True, exist_ok=True)
            writer.write(export, target)
            files += sum(1 for _ in target.rglob("*"))
    declared = Path(__file__).parent / "study"
    if declared.is_dir():
        shutil.copytree(declared, folder, dirs_exist_ok=True)
    return {"patients": len(cohort), "files": files}
