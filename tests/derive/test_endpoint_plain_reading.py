"""Every endpoint of many drawn patients against a plain reading of the endpoint table, one by one."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

Day = dt.date
CUT = Day(2024, 1, 20)
START = Day(2023, 12, 1)
DEEP = {"sCR": 7, "CR": 6, "VGPR": 5, "PR": 4, "MR": 3, "SD": 2, "PD": 1}
RESPONSES = ("sCR", "CR", "VGPR", "PR")


@dataclass
class Patient:
    """What is drawn; days are complete."""

    name: str
    infusion: Day
    relapse: Day
    status: str
    contact: Day | None
    death: Day | None
    cause: str
    next_line: Day | None
    best: tuple[str, Day | None] | None
    assessments: list[tuple[int, Day, str]] = field(default_factory=list)  # line, day, category
    progressions: list[tuple[int, Day | None]] = field(default_factory=list)


def drawn(number: int) -> Patient:
    draw = random.Random(number)

    def day(low: int, high: int) -> Day:
        return START + dt.timedelta(days=draw.randint(low, high))

    status = draw.choice(["DEAD", "DEAD", "ALIVE", "ALIVE", "LOST", "UNKNOWN"])
    death = day(-1, 60) if status == "DEAD" else None
    next_line = day(5, 60) if draw.random() < 0.4 else None
    patient = Patient(
        f"MYE-DE01-{number:03d}",
        START - dt.timedelta(days=draw.randint(40, 400)),
        START - dt.timedelta(days=draw.randint(0, 30)),
        status,
        None if status == "UNKNOWN" else death or day(20, 60),
        death,
        draw.choice(["MYELOMA", "INFECTION"]) if death else "",
        next_line,
        (draw.choice(list(DEEP)[:-1]), draw.choice([None, day(3, 30)]))
        if draw.random() < 0.3
        else None,
    )
    latest = min((d for d in (death,) if d), default=day(60, 60))
    for _ in range(draw.randint(0, 3)):
        patient.assessments.append((1, min(day(0, 40), latest), draw.choice(list(DEEP)[:-1])))
    if draw.random() < 0.5:
        patient.progressions.append((1, draw.choice([day(-2, 60), day(0, 50), day(10, 50), None])))
    if next_line and draw.random() < 0.4:
        patient.progressions.append((2, day(30, 60)))
    return patient


class Reading:
    """The endpoints of one patient: (start, end, CNSR), or None where the time cannot be told."""

    def __init__(self, patient: Patient) -> None:
        self.p = patient
        dated = [d for _, d in patient.progressions if d and d >= START]
        self.pd = min(dated, default=None)
        first = [d for line, d in patient.progressions if line == 1]
        self.pd_unplaced = self.pd is None and bool(first)
        self.contact = self._last_alive()
        self.dead_before_start = bool(patient.death and patient.death < START)
        self.first_response, self.responder = self._response()

    def _last_alive(self) -> Day:
        p = self.p
        seen = [START, p.contact, p.next_line, p.relapse, *(d for _, d in p.progressions)]
        seen += [d for _, d, _ in p.assessments] + [p.best[1] if p.best else None]
        alive = [d for d in seen if d and (not p.death or d <= p.death)]
        return max(alive, default=START)

    def _response(self) -> tuple[Day | None, bool]:
        p = self.p
        window = min(d for d in (self.pd, p.next_line, Day(2100, 1, 1)) if d)
        good = [d for line, d, c in p.assessments if line == 1 and c in RESPONSES and d >= START]
        dates = good + ([p.best[1]] if p.best and p.best[1] and p.best[0] in RESPONSES else [])
        responder = p.best[0] in RESPONSES if p.best else any(d <= window for d in good)
        return min(dates, default=None), responder

    def unknown(self, code: int) -> int:
        return code if self.p.status == "UNKNOWN" else 1

    def censored(self, start: Day, code: int) -> tuple[Day, Day, int] | None:
        end = min(self.contact, CUT)
        return (start, end, self.unknown(code)) if end >= start else None

    def by(self, start: Day, code: int, *events: tuple[Day | None, int]) -> object:
        """The earliest of the events in the order given; else censored."""
        happened = [(d, place, cnsr) for place, (d, cnsr) in enumerate(events) if d]
        if not happened:
            return self.censored(start, code)
        end, _, cnsr = min(happened)
        if end < start:
            return None
        return (start, end, cnsr) if end <= CUT else (start, CUT, 1)

    def pd_contradicts(self) -> bool:
        return self.pd_unplaced or bool(self.pd and self.p.death and self.pd > self.p.death)

    def all(self) -> dict[str, object]:
        p, pd, death = self.p, self.pd, self.p.death
        found: dict[str, object] = {}
        ok = not self.dead_before_start
        found["TTRLP"] = (p.infusion, p.relapse, 0)
        found["OS"] = self.by(START, 2, (death, 0)) if ok else None
        found["OSREL"] = self.by(p.relapse, 2, (death, 0)) if ok else None
        alive = None if death and death <= CUT else min(self.contact, CUT) if not death else CUT
        found["FUP"] = (START, death, 1) if not alive else (START, alive, 0)
        if not ok:
            found["FUP"] = None
        progressive = ok and not self.pd_contradicts()
        found["PFS"] = self.by(START, 2, (pd, 0), (death, 0)) if progressive else None
        found["CIR"] = self.by(START, 1, (pd, 0), (death, 2)) if progressive else None
        found["NRM"] = self.by(START, 1, (pd, 2), (death, 0)) if progressive else None
        of_myeloma = 0 if p.cause == "MYELOMA" else 2
        found["CIRMM"] = self.by(START, 1, (pd, 0), (death, of_myeloma)) if progressive else None
        found["PFSLA"] = self.last_assessment() if progressive else None
        found["PFSNACT"] = self.new_therapy() if ok else None
        late_line = bool(p.next_line and death and p.next_line > death)
        for code, competing in (("TTNT", 0), ("TTNTN", 2)):
            unknown = 2 if code == "TTNT" else 1
            events = ((p.next_line, 0), (death, competing))
            found[code] = self.by(START, unknown, *events) if ok and not late_line else None
        found["TTRSP"] = self.to_response() if ok else None
        if self.responder:
            for code, competing in (("RSD", 0), ("RSDR", 2)):
                start = self.first_response
                unknown = 2 if code == "RSD" else 1
                events = ((pd, 0), (death, competing))
                found[code] = self.by(start, unknown, *events) if start and progressive else None
        return found

    def last_assessment(self) -> object:
        ends = [d for d in (self.pd, self.p.death) if d and d <= CUT]
        if ends:
            return START, min(ends), 0
        days = [d for _, d, _ in self.p.assessments] + [d for _, d in self.p.progressions]
        days += [self.p.best[1]] if self.p.best else []
        seen = [d for d in days if d and START <= d <= CUT and d <= self.contact]
        return (START, max(seen), 1) if seen else (START, START, 3)

    def new_therapy(self) -> object:
        p, pd, death, therapy = self.p, self.pd, self.p.death, self.p.next_line
        if self.pd_unplaced:
            return None
        before = [d for d in (pd, death) if d and (not therapy or d < therapy)]
        if before:
            end = min(before)
            late = [d for d in (pd, therapy) if d and death and d > death]
            if end == death and end != pd and late:
                return None
            return (START, end, 0) if end <= CUT else (START, CUT, 1)
        if therapy and therapy <= CUT:
            days = [d for _, d, _ in p.assessments] + [d for _, d in p.progressions]
            days += [p.best[1]] if p.best else []
            seen = [d for d in days if d and START <= d < therapy]
            return START, max(seen, default=START), 4
        return (START, CUT, 1) if therapy else self.censored(START, 2)

    def to_response(self) -> object:
        p, response = self.p, self.first_response
        if self.responder and response is None:
            return None
        event = response if self.responder else None
        rivals = [d for d in (self.pd, p.next_line, p.death) if d]
        if event and (not rivals or event <= min(rivals)):
            return (START, event, 0) if event <= CUT else (START, CUT, 1)
        if self.pd_unplaced:
            return None
        late = [d for d in (self.pd, p.next_line) if d and p.death and d > p.death]
        if late and min(rivals) == p.death:
            return None
        if not rivals:
            return self.censored(START, 1)
        return (START, min(rivals), 2) if min(rivals) <= CUT else (START, CUT, 1)


def tables(patients: list[Patient]) -> dict[str, str]:
    """The core tables of the patients as text."""
    rows: dict[str, list[str]] = {
        "subject": ["usubjid | country | sex"],
        "infusion": ["usubjid | infusion_number | product | infusion_date"],
        "relapse": ["usubjid | relapse_number | relapse_date"],
        "treatment_line": ["usubjid | line_number | start_date | drugs"],
        "follow_up": ["usubjid | last_contact_date | vital_status | death_date | death_cause"],
        "response": ["usubjid | line_number | kind | response_date | category"],
    }
    for p in patients:
        rows["subject"].append(f"{p.name} | DE | F")
        rows["infusion"].append(f"{p.name} | 1 | IDE | {p.infusion}")
        rows["relapse"].append(f"{p.name} | 1 | {p.relapse}")
        rows["treatment_line"].append(f"{p.name} | 1 | {START} | talquetamab")
        if p.next_line:
            rows["treatment_line"].append(f"{p.name} | 2 | {p.next_line} | carfilzomib")
        status = "" if p.status == "UNKNOWN" else p.status
        rows["follow_up"].append(
            f"{p.name} | {p.contact or ''} | {status} | {p.death or ''} | {p.cause}"
        )
        for line, day, category in p.assessments:
            rows["response"].append(f"{p.name} | {line} | ASSESSMENT | {day} | {category}")
        for line, day in p.progressions:
            rows["response"].append(f"{p.name} | {line} | PROGRESSION | {day or ''} | PD")
        if p.best:
            rows["response"].append(f"{p.name} | 1 | BEST | {p.best[1] or ''} | {p.best[0]}")
    return {table: "\n".join(lines) for table, lines in rows.items()}


def test_every_endpoint_of_many_patients_agrees_with_the_plain_reading(derived, study_with):
    patients = [drawn(number) for number in range(250)]
    con = derived(study_with(data_cut=CUT), **tables(patients))
    found = {
        (usubjid, code): (start, end, cnsr)
        for usubjid, code, start, end, cnsr in con.execute(
            "select USUBJID, PARAMCD, STARTDT, ADT, CNSR from analysis.adtte "
            "where ANALYSIS = 'PRIMARY'"
        ).fetchall()
    }
    wanted = {
        (p.name, code): time
        for p in patients
        for code, time in Reading(p).all().items()
        if time is not None
    }
    different = {
        key: (found.get(key), wanted.get(key))
        for key in found.keys() | wanted.keys()
        if found.get(key) != wanted.get(key)
    }
    assert not different, sorted(different.items())[:10]
    assert len(wanted) > 2500
    kinds = {(code, cnsr) for (_, code), (_, _, cnsr) in found.items()}
    assert {("CIR", 0), ("CIR", 1), ("CIR", 2), ("PFSNACT", 4), ("PFSLA", 3), ("OS", 2)} <= kinds
