"""Faults of single dates and of the order of infusion, relapse and first salvage."""

from __future__ import annotations

import datetime as dt

from demo.dates import days
from demo.faults.scene import Fields, Scene, fault
from demo.grid import Raw

DX, APH, LD = "subject.diagnosis_date", "infusion.apheresis_date", "infusion.lymphodepletion_date"
INF, AGE, BIRTH = "infusion.infusion_date", "infusion.age_at_infusion", "subject.birth_year"
REL, MONTHS = "relapse.relapse_date", "relapse.months_to_relapse"
START, END = "treatment_line.start_date", "treatment_line.end_date"


@fault("DAT-01", "error", "DE01", "31 February")
def impossible_date(s: Scene) -> Fields | None:
    """No calendar has this day."""
    place = s.one(DX)
    return [s.set(place, s.date_text(place, "31", "02", "2019"))]


@fault("DAT-01", "error", "DE02 DE01", "two dates in one cell")
def two_dates_in_cell(s: Scene) -> Fields | None:
    """Nobody knows which is meant; the row of the progression is held back."""
    date = s.patient.lines[0].progression
    if date is None:
        return None
    _, place = s.response(1, "progression")
    text = f"{date:%d.%m.%y} / {date + days(3):%d.%m.%y}"
    return [s.set(place, Raw(text))]


@fault("DAT-01", "error", "US03 DE05 DE04", "a quarter instead of a date")
def quarter_only(s: Scene) -> Fields | None:
    """An interval; the patient's only line is held back."""
    if len(s.patient.lines) > 1 or s.patient.lines[0].end is None:
        return None
    return [s.set(s.line(1, END), Raw("Q2 2023"))]


@fault("DAT-02", "error", "US01", "day before month in a US column")
def order_contradicted(s: Scene) -> Fields | None:
    """A day of 23 where the month should be."""
    place = s.one(DX)
    return [s.set(place, Raw(f"23/05/{s.patient.diagnosis.year}"))]


@fault("DAT-03", "warning", "US03", "year of birth with two digits")
def two_digit_birth_year(s: Scene) -> Fields | None:
    """Is it 1958 or 2058?"""
    return [s.set(s.one(BIRTH), Raw(f"{s.patient.birth_year % 100:02d}"))]


@fault("DAT-04", "warning", "DE02", "a bare spreadsheet serial in a date column")
def spreadsheet_serial(s: Scene) -> Fields | None:
    """The cell lost its date format."""
    return [s.set(s.one(DX), Raw((s.patient.diagnosis - dt.date(1899, 12, 30)).days))]


@fault("DAT-05", "error", "DE03", "placeholder 1900-01-01")
def placeholder_date(s: Scene) -> Fields | None:
    """A system's default for unknown."""
    place = s.one(DX)
    return [s.set(place, s.date_text(place, "01", "01", "1900"))]


@fault("DAT-05", "error", "ES01", "placeholder 31/12/9999")
def far_placeholder_date(s: Scene) -> Fields | None:
    """Another system's default for unknown."""
    place = s.one(DX)
    return [s.set(place, s.date_text(place, "31", "12", "9999"))]


@fault("DAT-06", "error", "DE05 DE06 DE04", "last contact after the export")
def date_after_export(s: Scene) -> Fields | None:
    """A planned visit."""
    if s.patient.dead:
        return None
    return [s.set(s.one("follow_up.last_contact_date"), dt.date(2024, 7, 9))]


@fault("DAT-07", "error", "DE06", "diagnosis in childhood")
def diagnosis_in_childhood(s: Scene) -> Fields | None:
    """A typed year."""
    date = dt.date(s.patient.birth_year + 11, 3, 4)
    return [(s.one(BIRTH)), s.set(s.one(DX), date)]


@fault("DAT-08", "warning", "DE04", "age at diagnosis given as age at infusion")
def age_disagrees(s: Scene) -> Fields | None:
    """Nine years too young."""
    if s.patient.age < 45:
        return None
    return [s.set(s.one(AGE), s.patient.age - 9), s.one(BIRTH), s.one(INF)]


@fault("DAT-09", "error", "DE03", "diagnosis after apheresis")
def diagnosis_after_apheresis(s: Scene) -> Fields | None:
    """The date of another diagnosis."""
    return [s.set(s.one(DX), s.patient.apheresis + days(6)), s.one(APH)]


@fault("DAT-10", "error", "DE06", "apheresis after lymphodepletion")
def apheresis_after_lymphodepletion(s: Scene) -> Fields | None:
    """The two dates were exchanged or one was mistyped."""
    return [s.set(s.one(APH), s.patient.lymphodepletion + days(1)), s.one(LD)]


@fault("DAT-11", "error", "US02", "lymphodepletion after infusion")
def lymphodepletion_after_infusion(s: Scene) -> Fields | None:
    """Impossible order."""
    return [s.set(s.one(LD), s.patient.infusion + days(1)), s.one(INF)]


@fault("DAT-11", "warning", "DE01", "lymphodepletion 18 days before infusion")
def long_gap_to_infusion(s: Scene) -> Fields | None:
    """Possible, but asked for."""
    return [s.set(s.one(LD), s.patient.infusion - days(18)), s.one(INF)]


@fault("DAT-12", "error", "US01", "no date of infusion")
def infusion_date_missing(s: Scene) -> Fields | None:
    """Time to relapse cannot be computed."""
    return [s.set(s.one(INF), None)]


@fault("DAT-12", "error", "DE02", "year of infusion only")
def infusion_year_only(s: Scene) -> Fields | None:
    """As above."""
    return [s.set(s.one(INF), Raw(str(s.patient.infusion.year)))]


@fault("DAT-12", "warning", "DE05 DE04", "month of infusion only")
def infusion_month_only(s: Scene) -> Fields | None:
    """The day is imputed and flagged."""
    if s.patient.months_days < 60:
        return None
    return [s.set(s.one(INF), Raw(f"{s.patient.infusion:%Y-%m}"))]


@fault("DAT-13", "error", "DE04 DE06 DE03", "relapse before infusion")
def relapse_before_infusion(s: Scene) -> Fields | None:
    """A relapse of the time before."""
    p = s.patient
    if (p.salvage_start - p.infusion).days > 165:
        return None
    return [s.set(s.one(REL), p.infusion - days(5)), s.one(INF)]


@fault("DAT-13", "warning", "DE02 DE04 DE06 DE03", "relapse six days after infusion")
def relapse_within_days(s: Scene) -> Fields | None:
    """Possible, but asked for."""
    p = s.patient
    if (p.salvage_start - p.infusion).days > 180:
        return None
    return [s.set(s.one(REL), p.infusion + days(6)), s.one(INF)]


@fault("DAT-14", "warning", "US03", "reported months to relapse are stale")
def months_disagree(s: Scene) -> Fields | None:
    """Computed by hand before a date was corrected."""
    place = s.set(s.one(MONTHS), round(s.patient.months_to_relapse + 2.6, 1))
    return [place, s.one(REL), s.one(INF)]


@fault("DAT-15", "error", "DE06 DE03 DE04", "first salvage long before relapse")
def salvage_before_relapse(s: Scene) -> Fields | None:
    """The relapse is of a later line."""
    p = s.patient
    if (s.end - p.salvage_start).days < 60:
        return None
    place = s.set(s.one(REL), p.salvage_start + days(45))
    return [s.line(1, START), place]


@fault("DAT-15", "warning", "DE03 DE04 DE06", "first salvage some days before relapse")
def salvage_just_before_relapse(s: Scene) -> Fields | None:
    """Late confirmation of the relapse."""
    p = s.patient
    if (s.end - p.salvage_start).days < 30:
        return None
    place = s.set(s.one(REL), p.salvage_start + days(12))
    return [s.line(1, START), place]


@fault("DAT-16", "warning", "DE06 DE03 DE02 US01", "half a year from relapse to first salvage")
def long_gap_to_salvage(s: Scene) -> Fields | None:
    """A line may be missing."""
    p = s.patient
    if (p.salvage_start - p.infusion).days < 230:
        return None
    place = s.set(s.one(REL), p.salvage_start - days(200))
    return [s.line(1, START), place]


@fault("DAT-17", "error", "DE05 DE06 DE04", "no start of the first salvage")
def salvage_start_missing(s: Scene) -> Fields | None:
    """Time zero of survival is missing."""
    if len(s.patient.lines) > 1:
        return None
    return [s.set(s.line(1, START), None)]


@fault("DAT-17", "error", "DE03 DE04 DE05", "year of the first salvage only")
def salvage_year_only(s: Scene) -> Fields | None:
    """As above."""
    p = s.patient
    if len(p.lines) > 1:
        return None
    return [s.set(s.line(1, START), Raw(str(p.salvage_start.year)))]


@fault("DAT-17", "warning", "DE04 DE03 DE05", "month of the first salvage only")
def salvage_month_only(s: Scene) -> Fields | None:
    """The day is imputed and flagged."""
    line = s.patient.lines[0]
    if line.best_date is None or (line.best_date - line.start).days < 32:
        return None
    return [s.set(s.line(1, START), Raw(f"{line.start:%Y-%m}"))]
