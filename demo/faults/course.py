"""Faults of lines, responses, progression, death and last contact."""

from __future__ import annotations

import datetime as dt

from demo.dates import days
from demo.faults.scene import Field, Fields, Scene, fault
from demo.grid import Raw, Record

START, END = "treatment_line.start_date", "treatment_line.end_date"
REGIMEN, NUMBER = "treatment_line.regimen_text", "treatment_line.line_number"
CONTACT, DEATH = "follow_up.last_contact_date", "follow_up.death_date"
STATUS = "follow_up.vital_status"


@fault("DAT-18", "error", "US01 US03 DE06 DE05", "a line that ends before it starts")
def line_ends_before_start(s: Scene) -> Fields | None:
    """Exchanged dates, on the patient's only line."""
    if len(s.patient.lines) > 1:
        return None
    start = s.patient.lines[0].start
    return [s.set(s.line(1, END), start - days(7)), s.line(1, START)]


@fault("DAT-19", "error", "DE01 DE06 US03 DE05", "second line starts with the first")
def lines_out_of_order(s: Scene) -> Fields | None:
    """Numbers and dates disagree."""
    lines = s.patient.lines
    if len(lines) != 2 or lines[0].regimen == lines[1].regimen:
        return None
    return [s.set(s.line(2, START), lines[0].start), s.line(1, START)]


@fault("DAT-20", "error", "DE05 DE06 DE04", "best response before the line starts")
def response_before_line(s: Scene) -> Fields | None:
    """The response belongs to something else."""
    line = s.patient.lines[0]
    if line.best not in ("PR", "VGPR", "SD"):
        return None
    _, date = s.response(1, "best")
    return [s.set(date, line.start - days(6)), s.line(1, START)]


@fault("DAT-22", "error", "DE07 US02 DE03 US03", "progression before the line starts")
def progression_before_line(s: Scene) -> Fields | None:
    """The relapse before the line, entered again."""
    line = s.patient.lines[0]
    if line.best not in ("SD", "MR", "NE") or line.progression is None:
        return None
    _, date = s.response(1, "progression")
    return [s.set(date, line.start - days(5)), s.line(1, START)]


@fault("DAT-22", "warning", "US03 DE06 DE05 DE04", "progression on the first day of the line")
def progression_at_start(s: Scene) -> Fields | None:
    """Possible, but asked for."""
    line = s.patient.lines[0]
    if line.best not in ("SD", "MR", "NE") or line.progression is None:
        return None
    _, date = s.response(1, "progression")
    return [s.set(date, line.start), s.line(1, START)]


@fault("DAT-23", "error", "DE06 DE05", "progression after death")
def progression_after_death(s: Scene) -> Fields | None:
    """One of the two dates is wrong."""
    p = s.patient
    if p.death is None or p.lines[0].progression is None:
        return None
    _, date = s.response(1, "progression")
    return [s.set(date, p.death + days(9)), s.one(DEATH)]


@fault("DAT-24", "error", "DE03 US01 DE04 DE06 US03 DE05", "a line that starts after death")
def line_after_death(s: Scene) -> Fields | None:
    """A last line without response, so that nothing else is contradicted."""
    p, line = s.patient, s.last_line
    if p.death is None or line.number == 1 or line.best_date or line.progression:
        return None
    s.set(s.line(line.number, END), None)
    return [s.set(s.line(line.number, START), p.death + days(4)), s.one(DEATH)]


@fault("DAT-24", "error", "CH01 DE01", "a sample after death")
def sample_after_death(s: Scene) -> Fields | None:
    """The sample of another patient."""
    rows = s.rows("sample", "lab.lab_date")
    if s.patient.death is None or not rows:
        return None
    return [s.set((rows[-1], "lab.lab_date"), s.patient.death + days(3)), s.one(DEATH)]


@fault("DAT-24", "error", "US02 DE07 DE01", "an assessment after death")
def assessment_after_death(s: Scene) -> Fields | None:
    """Stable disease after death, of the patient's only line."""
    rows = s.rows("assessment", "response.response_date") if len(s.patient.lines) == 1 else []
    chosen = [r for r in rows if r.facts["response.category"] in ("SD", "MR")]
    if s.patient.death is None or not chosen:
        return None
    date = s.patient.death + days(6)
    return [s.set((chosen[-1], "response.response_date"), date), s.one(DEATH)]


@fault("DAT-25", "error", "DE04 US02 DE03 DE06", "last contact after death")
def contact_after_death(s: Scene) -> Fields | None:
    """A letter that was answered by somebody else."""
    p = s.patient
    if p.death is None or p.death > dt.date(2024, 5, 20):
        return None
    return [s.set(s.one(CONTACT), p.death + days(12)), s.one(DEATH)]


@fault("DAT-26", "warning", "DE06 DE05 DE03", "last contact before the latest event")
def stale_last_contact(s: Scene) -> Fields | None:
    """The field was not kept up to date."""
    told = s.told_dates()
    if s.patient.dead or len(told) < 2 or (told[0][0] - told[1][0]).days < 3:
        return None
    if told[0][0] < dt.date(2024, 2, 1):  # else the contact would be too old as well
        return None
    return [s.set(s.one(CONTACT), told[0][0] - days(2)), told[0][1]]


@fault("DAT-27", "warning", "DE05 DE04 US01 DE02 DE06 DE03 US03", "last contact too long ago")
def old_last_contact(s: Scene) -> Fields | None:
    """Nothing known for more than half a year."""
    old = dt.date(2023, 12, 4)
    if s.patient.dead or max(day for day, _ in s.told_dates()) >= old:
        return None
    return [s.set(s.one(CONTACT), old)]


@fault("RSP-01", "error", "DE02", "a word that is no response category")
def response_not_understood(s: Scene) -> Fields | None:
    """Good is not a category."""
    category, _ = s.response(1, "best")
    return [s.set(category, Raw("gut"))]


@fault("RSP-01", "error", "US01", "two categories on both sides of the response line")
def response_across_the_line(s: Scene) -> Fields | None:
    """Responder or not? Nobody may guess."""
    category, _ = s.response(1, "best")
    return [s.set(category, Raw("PR/SD"))]


@fault(
    "RSP-03", "error", "DE05 DE06 DE04 DE02 US01", "partial response after progression in one line"
)
def response_after_progression(s: Scene) -> Fields | None:
    """It belongs to the next line, or one date is wrong."""
    line = s.patient.lines[0]
    if line.best not in ("PR", "VGPR") or line.progression is None:
        return None
    if (s.end - line.progression).days < 12:
        return None
    _, best = s.response(1, "best")
    _, progression = s.response(1, "progression")
    following = s.patient.lines[1:2]  # until its start the response is one of this line
    late = min([line.progression + days(8), *(each.start for each in following)])
    return [s.set(best, late), progression]


@fault("SAL-01", "error", "DE06 DE05 DE04", "a regimen with an unknown word")
def regimen_not_understood(s: Scene) -> Fields | None:
    """On the patient's only line."""
    return _only_regimen(s, "Kd + XQ-17")


@fault("SAL-08", "error", "DE01 DE05 US03", "BVd: belantamab or bendamustine")
def ambiguous_acronym(s: Scene) -> Fields | None:
    """The two readings lie in different groups."""
    return _only_regimen(s, "BVd")


@fault("SAL-03", "error", "US03", "two bispecifics in one line without dates")
def two_bispecifics(s: Scene) -> Fields | None:
    """Combination or sequence?"""
    return _only_regimen(s, "Teclistamab + Talquetamab")


def _only_regimen(s: Scene, text: str) -> Fields | None:
    if len(s.patient.lines) > 1:
        return None
    return [s.set(s.line(1, REGIMEN), Raw(text))]


@fault("SAL-02", "warning", "DE05", "reported group disagrees with the drugs", persists=True)
def group_disagrees(s: Scene) -> Fields | None:
    """The group by the drugs is kept."""
    if s.patient.group != "IPC":
        return None
    return [s.set(s.line(1, "treatment_line.salvage_group"), "OTHER"), s.line(1, REGIMEN)]


@fault("SAL-04", "error", "DE07 DE01 US02", "a line number is left out")
def gap_in_lines(s: Scene) -> Fields | None:
    """Line 1 is followed by line 3."""
    if len(s.patient.lines) != 2:
        return None
    return [s.set(s.line(2, NUMBER), 3)]


@fault("DUP-03", "error", "US03 DE01 US01 DE04", "a line entered twice")
def line_twice(s: Scene) -> Fields | None:
    """The same drugs again one day later, as the next line."""
    line = s.last_line
    if line.end is not None or s.patient.dead:
        return None
    number, place = s.line(line.number, NUMBER)
    if "#" in place:
        return None
    changes = {START: line.start + days(1), NUMBER: line.number + 1}
    empty = {name: None for name in number.facts if name.startswith("response.")}
    made = Record(number.patient, {**number.facts, **empty, **changes}, "copy")
    s.export.grids_of(number)[0].records.append(made)
    return [(made, START), (made, REGIMEN), (number, START), (number, REGIMEN)]


@fault("SUR-01", "error", "US01", "a status that is neither alive nor dead")
def status_not_understood(s: Scene) -> Fields | None:
    """Where did the patient go?"""
    return [s.set(s.one(STATUS), Raw("see chart"))]


@fault("SUR-01", "error", "DE03 DE04", "no status")
def status_missing(s: Scene) -> Fields | None:
    """Survival cannot be computed."""
    return None if s.patient.dead else [s.set(s.one(STATUS), None)]


@fault("SUR-02", "error", "DE06 DE05 DE03", "dead without a date")
def death_without_date(s: Scene) -> Fields | None:
    """Survival cannot be computed."""
    return _death(s, None)


@fault("SUR-02", "error", "US03 DE04", "dead with a year only")
def death_year_only(s: Scene) -> Fields | None:
    """As above."""
    return _death(s, Raw(str(s.patient.death.year))) if s.patient.death else None


@fault("SUR-02", "warning", "DE04 DE03", "dead with a month only")
def death_month_only(s: Scene) -> Fields | None:
    """The day is imputed and flagged; what is told of the patient lies before that month."""
    death = s.patient.death
    if death is None or s.told_dates()[0][0] >= death.replace(day=1):
        return None
    s.set(s.one(CONTACT), death.replace(day=1) - days(2))
    return _death(s, Raw(f"{death:%Y-%m}"))


def _death(s: Scene, value: object) -> Fields | None:
    if s.patient.death is None:
        return None
    place: Field = s.set(s.one(DEATH), value)
    return [place, s.one(STATUS)]


@fault("SUR-03", "error", "DE01 DE03 DE04", "alive with a date of death")
def alive_with_death_date(s: Scene) -> Fields | None:
    """One of the two is wrong."""
    if s.patient.dead:
        return None
    return [s.set(s.one(DEATH), s.end), s.one(STATUS)]


@fault("DUP-01", "error", "DE06", "one patient under two ids", asks=2)
def patient_under_two_ids(s: Scene) -> Fields | None:
    """Referred twice and numbered twice."""
    record, fact = s.one("infusion.infusion_date")
    made = Record("9001", {**record.facts, "patient_id": "9001"}, "copy")
    s.export.grids_of(record)[0].records.append(made)
    return [(record, fact), (made, fact)]
