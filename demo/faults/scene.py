"""A fault is a small edit of one patient's rows in one export; its addresses are read off the grids."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.grid import Column, Dated, Export, Raw, Record
from demo.model import Line, Patient

Field = tuple[Record, str]
Fields = list[Field]


@dataclass(eq=False)
class Scene:
    """One patient's rows in one export, with the edits that faults are made of."""

    export: Export
    patient: Patient
    round: int
    members: Mapping[str, Sequence[Patient]] = field(default_factory=dict)  # of every center
    chosen: Mapping[str, tuple[str, Patient]] = field(default_factory=dict)  # of the kinds so far

    def one(self, fact: str) -> Field:
        """The row and fact that are told once per patient; KeyError if the center does not tell."""
        return self.export.find(self.patient.local_id, fact), fact

    def line(self, number: int, fact: str) -> Field:
        """A fact of a line, in a wide row (`fact#2`) or in a row of its own."""
        wide = f"{fact}#{number}"
        if self.export.has(wide):
            return self.export.find(self.patient.local_id, wide), wide
        for record in self.rows("line", fact):
            if record.facts["treatment_line.line_number"] == number:
                return record, fact
        raise KeyError((self.export.center, fact))

    def response(self, number: int, kind: str) -> tuple[Field, Field]:
        """Category and date of a line's best response (`best`) or progression (`progression`)."""
        for record in self.rows(kind, "response.response_date"):
            if record.facts["response.line_number"] == number:
                return (record, "response.category"), (record, "response.response_date")
        date = self.line(number, f"response.{kind}_date")
        return (self.line(number, "response.best") if kind == "best" else date), date

    def rows(self, kind: str, fact: str) -> list[Record]:
        """The patient's rows of a kind in which a fact stands."""
        found = self.export.all_records(self.patient.local_id, fact)
        return [record for record in found if record.kind == kind]

    def set(self, place: Field, value: Any) -> Field:
        """Write another value; `Raw` passes the column's format."""
        record, fact = place
        record.facts[fact] = value
        return place

    def column(self, place: Field) -> Column:
        """The column in which a fact stands."""
        return next(c for g in self.export.grids_of(place[0]) if (c := g.column(place[1])))

    def is_text_date(self, place: Field) -> bool:
        """Whether the center writes this date as text."""
        return isinstance(self.column(place).write, Dated)

    def date_text(self, place: Field, day: str, month: str, year: str) -> Raw:
        """A date as the center writes it, from parts that need not make a date."""
        write = self.column(place).write
        if not isinstance(write, Dated):
            raise TypeError("the column holds real dates")
        text = write.pattern.replace("%d", day).replace("%m", month).replace("%Y", year)
        return Raw(text.strip("-./"))

    def copy(self, record: Record, **changes: Any) -> Record:
        """Add a copy of a row at the end of the grid where its patient's rows of the kind stand."""
        grid = self.export.grids_of(record)[0]
        named = {name.replace("__", "."): value for name, value in changes.items()}
        made = Record(record.patient, {**record.facts, **named}, record.kind)
        grid.records.append(made)
        return made

    @property
    def last_line(self) -> Line:
        """The patient's last line."""
        return self.patient.lines[-1]

    @property
    def end(self) -> dt.date:
        """Death, or last contact as known in this round."""
        p = self.patient
        return p.death or (p.first_contact if self.round == 1 else p.last_contact)

    def told_dates(self) -> list[tuple[dt.date, Field]]:
        """Every date that the center tells of the patient, death and last contact left out."""
        found: dict[tuple[int, str], tuple[dt.date, Field]] = {}
        for grid in self.export.grids:
            for record in grid.records:
                if record.patient != self.patient.local_id:
                    continue
                for column in grid.columns:
                    value = record.facts.get(column.fact)
                    if isinstance(value, dt.date) and not column.fact.startswith("follow_up."):
                        found[id(record), column.fact] = (value, (record, column.fact))
        return sorted(found.values(), key=lambda item: item[0], reverse=True)


Plant = Callable[[Scene], Fields | None]


@dataclass(frozen=True)
class Kind:
    """A kind of fault: the rule that must find it, and where it may be planted."""

    name: str
    rules: tuple[str, ...]
    severity: str
    centers: tuple[str, ...]
    plant: Plant
    persists: bool
    note: str
    from_round: int = 1
    asks: int = 1  # so many of its first fields are asked about, each in a query of its own
    changes: bool = False  # in round two another value stands there that is no better
    beside: str = ""  # the kind whose patient gets this one too


KINDS: list[Kind] = []
ATTEMPTS = 8


def fault(
    rules: str,
    severity: str,
    centers: str,
    note: str,
    *,
    persists: bool = False,
    from_round: int = 1,
    asks: int = 1,
    changes: bool = False,
    beside: str = "",
) -> Callable[[Plant], Plant]:
    """Register a kind of fault; its name is the function's.

    A rule over the deliveries in force is judged once, in the last round: its fault comes with it.
    What persists is planted again in round two, in the same patient; what changes, with another value.
    """

    def register(plant: Plant) -> Plant:
        name = plant.__name__
        KINDS.append(
            Kind(
                name,
                tuple(rules.split()),
                severity,
                tuple(centers.split()),
                plant,
                persists or changes,
                note,
                from_round,
                asks,
                changes,
                beside,
            )
        )
        return plant

    return register


@dataclass
class Planted:
    """A fault that stands in a delivery."""

    fault_id: str
    kind: Kind
    center: str
    patient: Patient
    fields: Fields

    @property
    def asked(self) -> Fields:
        """The fields about which the center gets a query, for each rule of the kind."""
        return self.fields[: self.kind.asks]


@dataclass
class Planter:
    """Plants every kind once per round; no patient gets two faults."""

    patients: Mapping[str, Sequence[Patient]]
    chosen: dict[str, tuple[str, Patient]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)  # kinds that found nobody when it was their turn

    def plant_first(
        self, build: Callable[[], dict[str, Export]]
    ) -> tuple[dict[str, Export], list[Planted]]:
        """Round one: all kinds; what finds no fitting patient goes first in another attempt."""
        for _ in range(ATTEMPTS if sum(map(len, self.patients.values())) > len(KINDS) else 1):
            self.chosen, exports = {}, build()
            planted = self.plant(exports, 1)
            due = [kind.name for kind in KINDS if kind.from_round == 1]
            self.missing = [name for name in due if name not in self.chosen]
            if not self.missing:
                break
            self.first = [*self.missing, *(n for n in self.first if n not in self.missing)]
        return exports, planted

    def plant(self, exports: Mapping[str, Export], round_: int) -> list[Planted]:
        """Edit the exports of a round; in round two what persists, in the same patients, and what is new."""
        numbered = list(enumerate(KINDS, start=1))
        rank = {name: i - len(self.first) for i, name in enumerate(self.first)}
        planted = []
        for number, kind in sorted(numbered, key=lambda item: rank.get(item[1].name, 0)):
            stays = kind.persists and kind.name in self.chosen
            if kind.from_round != round_ and not (round_ > 1 and stays):
                continue
            done = self._one(kind, f"F{number:03d}", exports, round_)
            if done is not None:
                planted.append(done)
            elif kind.from_round == round_ > 1:
                self.missing.append(kind.name)
        return sorted(planted, key=lambda fault: fault.fault_id)

    def _one(
        self, kind: Kind, fault_id: str, exports: Mapping[str, Export], round_: int
    ) -> Planted | None:
        if kind.name in self.chosen:
            candidates = [self.chosen[kind.name]]
        elif kind.beside:
            candidates = [self.chosen[kind.beside]] if kind.beside in self.chosen else []
        else:
            candidates = [(c, p) for c in kind.centers for p in self._free(c, kind)]
        for center, patient in candidates:
            if center not in exports:
                continue
            try:
                scene = Scene(exports[center], patient, round_, self.patients, self.chosen)
                fields = kind.plant(scene)
            except KeyError:  # the center does not tell what the fault needs
                continue
            if fields:
                self.chosen[kind.name] = (center, patient)
                return Planted(fault_id, kind, center, patient, fields)
        return None

    def _free(self, center: str, kind: Kind) -> list[Patient]:
        """Patients of a center without another fault in the round, in an order of the kind's own."""
        gone = {
            k.name for k in KINDS if kind.from_round > 1 and k.from_round == 1 and not k.persists
        }
        taken = {p.index for name, (_, p) in self.chosen.items() if name not in gone}
        free = [p for p in self.patients.get(center, ()) if p.index not in taken]
        return sorted(free, key=lambda p: zlib.crc32(f"{kind.name}|{p.local_id}".encode()))[:200]
