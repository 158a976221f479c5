"""What each center is to be asked after each round, and what becomes of each question: for tests only.

Told by what was planted, not by what a rule finds. A question is one fact: of a fault its first field,
and where two records are meant (one patient under two ids) one field of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.faults import Planted
from demo.faults.scene import Field, Fields
from demo.grid import Address, Export, Raw, Record
from demo.marks import Mark, address_of

NEW, SAME, CHANGED = "new", "still_failing", "changed_still_failing"
RESOLVED, WITHDRAWN = "resolved", "withdrawn"
QUERY_COLUMNS = (
    "fault_id", "kind", "center", "rule_id", "severity", "patient_id", "outcome_1", "outcome_2",
    "file_1", "sheet_1", "row_1", "column_1", "file_2", "sheet_2", "row_2", "column_2",
)  # fmt: skip
# What tells the rows of a patient apart, as far as a center tells it.
_IDENTITY = (
    "patient_id", "treatment_line.line_number", "response.line_number", "response.kind",
    "response.response_date", "lab.lab_date", "lab.test", "exposure.drug",
)  # fmt: skip
_GONE = ("G000", "patient_gone", "STR-12", "warning")  # a patient whom the next delivery lacks
_SEX = "subject.sex"  # in a row of every patient, in every center


@dataclass(frozen=True, eq=False)
class Asked:
    """One question after one round."""

    fault_id: str
    number: int  # of the question inside the fault
    kind: str
    center: str
    rule_id: str
    severity: str
    patient_id: str  # as delivered
    address: Address | None  # of the first field
    values: tuple[Any, ...]  # of all fields concerned
    record: Record | None

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What makes it the same question in both rounds."""
        return self.center, self.fault_id, self.number, self.rule_id


def asked(planted: Iterable[Planted], marks: Iterable[Mark], export: Export) -> list[Asked]:
    """What a center is to be asked after a round; what is marked as information asks nothing."""
    found = []
    for fault in planted:
        for rule in fault.kind.rules:
            for number, field in enumerate(fault.asked):
                told = (fault.kind.name, fault.center, rule, fault.kind.severity)
                found.append(_asked(fault.fault_id, number, told, field, fault.fields, export))
    for mark in marks:
        if mark.severity != "info":
            told = (mark.kind, mark.center, mark.rule_id, mark.severity)
            found.append(_asked(mark.mark_id, 0, told, mark.fields[0], mark.fields, export))
    return found


def _asked(
    fault_id: str, number: int, told: tuple[str, ...], field: Field, fields: Fields, export: Export
) -> Asked:
    record, fact = field
    address = address_of(export, record, fact)
    values = tuple(row.facts.get(name) for row, name in fields)
    kind, center, rule, severity = told
    patient = _patient(record)
    return Asked(fault_id, number, kind, center, rule, severity, patient, address, values, record)


def _patient(record: Record) -> str:
    value = record.facts.get("patient_id")
    return str(value.cell if isinstance(value, Raw) else value or "")


def query_rows(
    first: Sequence[Asked], second: Sequence[Asked], exports: Mapping[int, Mapping[str, Export]]
) -> list[dict[str, Any]]:
    """One row per question of either round, with what the second round makes of it.

    Args:
        first: What was asked after round one.
        second: What is to be asked after round two.
        exports: Round → center → what was delivered.
    """
    later = {each.key: each for each in [*second, *_patients_gone(exports)]}
    rows = []
    for each in first:
        now = later.pop(each.key, None)
        if now is not None:
            outcome = SAME if now.values == each.values else CHANGED
        else:
            outcome = WITHDRAWN if _is_gone(each, exports[2][each.center]) else RESOLVED
        rows.append(_row(each, NEW, outcome, each.address, now.address if now else None))
    rows += [_row(each, "", NEW, None, each.address) for each in later.values()]
    return sorted(rows, key=lambda row: (row["fault_id"], row["rule_id"]))


def _is_gone(each: Asked, export: Export) -> bool:
    """Whether the row that a fault had added tells of a record that is not delivered any more.

    An edited row is a true one, which the second round tells as it is; of a true row that was
    entered twice, one is left.
    """
    if each.record is None or each.record.kind != "copy":
        return False
    record = _identity(each.record)
    return all(_identity(row) != record for grid in export.grids for row in grid.records)


def _identity(record: Record) -> tuple[Any, ...]:
    return tuple(record.facts.get(name) for name in _IDENTITY)


def _patients_gone(exports: Mapping[int, Mapping[str, Export]]) -> list[Asked]:
    """A question for each patient of round one of whom round two does not know; it has no cell."""
    fault, kind, rule, severity = _GONE
    return [
        Asked(fault, number, kind, center, rule, severity, patient, None, (), None)
        for center, export in exports[1].items()
        for number, patient in enumerate(sorted(_ids(export) - _ids(exports[2][center])))
    ]


def _ids(export: Export) -> set[str]:
    """The patients of a delivery."""
    rows = (row for grid in export.grids if grid.column(_SEX) for row in grid.records)
    return {_patient(row) for row in rows}


def _row(
    each: Asked, before: str, after: str, one: Address | None, two: Address | None
) -> dict[str, Any]:
    told = (
        each.fault_id, each.kind, each.center, each.rule_id, each.severity, each.patient_id,
        before, after,
    )  # fmt: skip
    places = [(a.file, a.sheet, a.row, a.column) if a else ("", "", "", "") for a in (one, two)]
    return dict(zip(QUERY_COLUMNS, (*told, *places[0], *places[1]), strict=True))
