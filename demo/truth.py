"""What is true of the demo study, for tests only: faults with addresses, cohort, counts."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from demo.dates import APPROVED_SALVAGE
from demo.exports import WRITERS
from demo.faults import Planted, Scene
from demo.faults.structure import HEADER
from demo.files import text_cell
from demo.grid import Export, Record
from demo.model import Line, Patient
from demo.regimens import REGIMENS
from demo.targets import COUNTS, GROUPS

FAULT_COLUMNS = (
    "fault_id", "kind", "round", "center", "rule_id", "severity", "position", "file", "sheet",
    "row", "column", "note",
)  # fmt: skip

AGAIN, AGAIN_DAYS = frozenset({"teclistamab", "elranatamab"}), 90


def fault_rows(planted: Iterable[Planted], export: Export, round_: int) -> list[dict[str, Any]]:
    """One row per rule and field of each fault of a center, with the address as written."""
    rows = []
    for fault in planted:
        for rule in fault.kind.rules:
            for position, (record, fact) in enumerate(fault.fields, start=1):
                file, sheet, row, column = _address(export, record, fact)
                values = (
                    fault.fault_id, fault.kind.name, round_, fault.center, rule,
                    fault.kind.severity, position, file, sheet, row, column, fault.kind.note,
                )  # fmt: skip
                rows.append(dict(zip(FAULT_COLUMNS, values, strict=True)))
    return rows


def marked_rows(
    members: Sequence[Patient], planted: Iterable[Planted], export: Export, round_: int
) -> list[dict[str, Any]]:
    """What is no fault but marked, by its rule; nothing is planted for it.

    A bispecific against BCMA soon after the CAR-T (SAL-11): early relapses belong to the cohort. An
    antibody before its approval (ELG-06): patients were given it by name.
    """
    edited = {(id(record), fact) for fault in planted for record, fact in fault.fields}
    rows = []
    for p in members:
        scene = Scene(export, p, round_)
        for line in p.lines:
            for rule, kind, severity, note, fields in _marks(scene, p, line):
                true = (line.start, p.infusion)  # a fault may name a cell that it leaves as it is
                told = {(id(r), fact) for r, fact in fields if r.facts[fact] not in true}
                if edited & told:
                    continue
                for position, (record, fact) in enumerate(fields, start=1):
                    file, sheet, row, column = _address(export, record, fact)
                    values = (
                        f"M{p.index:03d}-{line.number}", kind, round_, p.center, rule,
                        severity, position, file, sheet, row, column, note,
                    )  # fmt: skip
                    rows.append(dict(zip(FAULT_COLUMNS, values, strict=True)))
    return rows


def _marks(scene: Scene, p: Patient, line: Line) -> Iterator[tuple[str, str, str, str, list[Any]]]:
    """Rule, kind, severity, note and fields of what is marked of a line."""
    drugs = set(REGIMENS[line.regimen].drugs)
    start = "treatment_line.start_date"
    if line.start - p.infusion < dt.timedelta(days=AGAIN_DAYS) and AGAIN & drugs:
        fields = [scene.line(line.number, start), scene.one("infusion.infusion_date")]
        yield "SAL-11", "bcma_again", "info", "against BCMA within 90 days", fields
    if any(line.start < day for (drug, land), day in APPROVED_SALVAGE.items()
           if drug in drugs and land == p.country):  # fmt: skip
        fields = [scene.line(line.number, f) for f in (start, "treatment_line.regimen_text")]
        yield "ELG-06", "before_approval", "warning", "given before its approval", fields


def _address(export: Export, record: Record, fact: str) -> tuple[str, str, int, str]:
    if record.kind == HEADER:
        grid = next(g for g in export.grids if g.extra.get(HEADER, (None,))[0] is record)
        return grid.file, grid.sheet, max(grid.first_row - 1, 1), grid.extra[HEADER][1]
    found = export.address(record, fact)
    return found.file, found.sheet, found.row, found.column


def write_truth(folder: Path, cohort: Sequence[Patient], faults: Sequence[dict[str, Any]]) -> None:
    """Write faults.csv, cohort.csv and counts.json."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(folder / "faults.csv", FAULT_COLUMNS, faults)
    rows = [_patient(p) for p in cohort]
    _write_csv(folder / "cohort.csv", tuple(rows[0]) if rows else (), rows)
    (folder / "counts.json").write_text(json.dumps(counts(cohort), indent=1) + "\n", "utf-8")


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: text_cell(v) for k, v in row.items()} for row in rows)
    path.write_text(out.getvalue(), "utf-8", newline="")


def _patient(p: Patient) -> dict[str, Any]:
    first = p.lines[0]
    return {
        "center": p.center,
        "patient_id": p.local_id,
        "country": p.country,
        "group": p.group,
        "subgroup": REGIMENS[first.regimen].subgroup,
        "sex": p.sex,
        "age": p.age,
        "birth_year": p.birth_year,
        "product": p.product,
        "prior_lines": p.prior_lines,
        "r_iss": p.r_iss,
        "mycare": p.mycare,
        "ecog": p.ecog,
        "triple": "Y" if p.triple else "N",
        "penta": "Y" if p.penta else "N",
        "prior_bcma": "Y" if p.prior_bcma else "N",
        "emd": "Y" if p.emd else "N",
        "response": p.response,
        "subsequent": "Y" if p.subsequent else "N",
        "lines": len(p.lines),
        "drugs": "|".join(REGIMENS[first.regimen].drugs),
        "infusion_date": p.infusion,
        "relapse_date": p.relapse,
        "days_to_relapse": p.months_days,
        "salvage_date": first.start,
        "best_response": first.best,
        "best_response_date": first.best_date,
        "progression_date": first.progression,
        "dead": "Y" if p.dead else "N",
        "death_date": p.death,
        "last_contact_date": p.last_contact,
        "os_days": p.os_days,
    }


def counts(cohort: Sequence[Patient]) -> dict[str, Any]:
    """Counts of Table 1 and of responses by group, and patients per center."""
    table: dict[str, dict[str, list[int]]] = {}
    for name, levels in COUNTS.items():
        seen = Counter((p.group, _level(p, name)) for p in cohort)
        table[name] = {level: [seen[g, level] for g in GROUPS] for level in levels}
    return {
        "groups": list(GROUPS),
        "patients": [sum(p.group == g for p in cohort) for g in GROUPS],
        "table1": table,
        "centers": {c: sum(p.center == c for p in cohort) for c in WRITERS},
    }


def _level(p: Patient, name: str) -> str:
    value = getattr(p, name)
    return {True: "Y", False: "N"}[value] if isinstance(value, bool) else str(value)
