"""True records that a rule marks or asks about, and where a fact stands in a delivery."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from demo.dates import APPROVED_SALVAGE
from demo.faults import Planted, Scene
from demo.faults.scene import Fields
from demo.faults.structure import HEADER
from demo.grid import Address, Export, Record
from demo.model import Line, Patient
from demo.regimens import REGIMENS

AGAIN, AGAIN_DAYS = frozenset({"teclistamab", "elranatamab"}), 90


@dataclass(frozen=True, eq=False)
class Mark:
    """What is no fault but found by a rule; nothing is planted for it."""

    mark_id: str
    kind: str
    center: str
    rule_id: str
    severity: str
    note: str
    fields: Fields


def marks(
    members: Sequence[Patient], planted: Iterable[Planted], export: Export, round_: int
) -> list[Mark]:
    """What is marked of a center's patients, by its rule.

    A bispecific against BCMA soon after the CAR-T (SAL-11): early relapses belong to the cohort. An
    antibody before its approval (ELG-06): patients were given it by name.
    """
    edited = {(id(record), fact) for fault in planted for record, fact in fault.fields}
    found = []
    for p in members:
        scene = Scene(export, p, round_)
        for line in p.lines:
            for mark in _marks(scene, p, line):
                true = (line.start, p.infusion)  # a fault may name a cell that it leaves as it is
                told = {(id(r), fact) for r, fact in mark.fields if r.facts[fact] not in true}
                if not edited & told:
                    found.append(mark)
    return found


def _marks(scene: Scene, p: Patient, line: Line) -> Iterator[Mark]:
    """What is marked of a line."""
    drugs = set(REGIMENS[line.regimen].drugs)
    start = "treatment_line.start_date"
    name = f"M{p.index:03d}-{line.number}"
    if line.start - p.infusion < dt.timedelta(days=AGAIN_DAYS) and AGAIN & drugs:
        fields = [scene.line(line.number, start), scene.one("infusion.infusion_date")]
        note = "against BCMA within 90 days"
        yield Mark(name, "bcma_again", p.center, "SAL-11", "info", note, fields)
    if any(line.start < day for (drug, land), day in APPROVED_SALVAGE.items()
           if drug in drugs and land == p.country):  # fmt: skip
        fields = [scene.line(line.number, f) for f in (start, "treatment_line.regimen_text")]
        note = "given before its approval"
        yield Mark(name, "before_approval", p.center, "ELG-06", "warning", note, fields)


def address_of(export: Export, record: Record, fact: str) -> Address:
    """Where a fact stands in a delivery; of a column without facts, its header."""
    if record.kind == HEADER:
        grid = next(g for g in export.grids if g.extra.get(HEADER, (None,))[0] is record)
        return Address(grid.file, grid.sheet, max(grid.first_row - 1, 1), grid.extra[HEADER][1])
    return export.address(record, fact)
