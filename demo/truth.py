"""What is true of the demo study, for tests only: faults with addresses, cohort, counts."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from demo.exports import WRITERS
from demo.faults import Planted
from demo.files import text_cell
from demo.grid import Export
from demo.marks import Mark, address_of
from demo.model import Patient
from demo.queries import QUERY_COLUMNS
from demo.regimens import REGIMENS
from demo.targets import COUNTS, GROUPS

FAULT_COLUMNS = (
    "fault_id", "kind", "round", "center", "rule_id", "severity", "position", "file", "sheet",
    "row", "column", "note",
)  # fmt: skip


def fault_rows(planted: Iterable[Planted], export: Export, round_: int) -> list[dict[str, Any]]:
    """One row per rule and field of each fault of a center, with the address as written."""
    rows = []
    for fault in planted:
        for rule in fault.kind.rules:
            for position, (record, fact) in enumerate(fault.fields, start=1):
                at = address_of(export, record, fact)
                values = (
                    fault.fault_id, fault.kind.name, round_, fault.center, rule,
                    fault.kind.severity, position, at.file, at.sheet, at.row, at.column,
                    fault.kind.note,
                )  # fmt: skip
                rows.append(dict(zip(FAULT_COLUMNS, values, strict=True)))
    return rows


def marked_rows(found: Iterable[Mark], export: Export, round_: int) -> list[dict[str, Any]]:
    """One row per field of what is no fault but marked by a rule."""
    rows = []
    for mark in found:
        for position, (record, fact) in enumerate(mark.fields, start=1):
            at = address_of(export, record, fact)
            values = (
                mark.mark_id, mark.kind, round_, mark.center, mark.rule_id, mark.severity,
                position, at.file, at.sheet, at.row, at.column, mark.note,
            )  # fmt: skip
            rows.append(dict(zip(FAULT_COLUMNS, values, strict=True)))
    return rows


def write_truth(
    folder: Path,
    cohort: Sequence[Patient],
    faults: Sequence[dict[str, Any]],
    queries: Sequence[dict[str, Any]],
) -> None:
    """Write faults.csv, queries.csv, cohort.csv and counts.json."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(folder / "faults.csv", FAULT_COLUMNS, faults)
    _write_csv(folder / "queries.csv", QUERY_COLUMNS, queries)
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
