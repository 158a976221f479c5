"""Faults of structure: ids, orphans, duplicates, codes, columns, direct identifiers."""

from __future__ import annotations

from demo.faults.scene import Fields, Scene, fault
from demo.grid import Column, Raw, Record

HEADER = "header"  # in place of a fact: the header cell of a column is meant


def _append(s: Scene, record: Record, **changes: object) -> Record:
    """A changed copy of a row at the end of the first grid that holds it."""
    facts = {**record.facts, **{name.replace("__", "."): v for name, v in changes.items()}}
    made = Record(record.patient, facts, "copy")
    s.export.grids_of(record)[0].records.append(made)
    return made


@fault("STR-01", "error", "US03", "a laboratory row without patient id")
def lab_row_without_id(s: Scene) -> Fields | None:
    """The row cannot be linked to anybody."""
    rows = s.rows("measurement", "lab.value")
    return [s.set((rows[0], "patient_id"), None)] if rows else None


@fault("STR-01", "error", "DE01", "an assessment without patient id")
def assessment_without_id(s: Scene) -> Fields | None:
    """As above, in a table where the patient's other rows stay."""
    rows = s.rows("assessment", "response.category")
    return [s.set((rows[0], "patient_id"), None)] if rows else None


@fault("STR-02", "error", "US02", "the same patient row twice")
def patient_row_twice(s: Scene) -> Fields | None:
    """The later row is flagged, the first is kept."""
    record, _ = s.one("subject.sex")
    return [(_append(s, record), "patient_id"), (record, "patient_id")]


@fault("STR-02", "error", "DE07", "two patient rows that contradict each other")
def patient_rows_contradict(s: Scene) -> Fields | None:
    """Nobody knows which of the two is right."""
    record, _ = s.one("subject.birth_year")
    other = _append(s, record, subject__birth_year=record.facts["subject.birth_year"] + 1)
    return [(record, "patient_id"), (other, "patient_id")]


@fault("STR-03", "error", "DE06", "a laboratory row of nobody", persists=True)
def orphan_lab_row(s: Scene) -> Fields | None:
    """The id has the usual form but no patient row."""
    rows = s.rows("measurement", "lab.value")
    return [(_append(s, rows[0], patient_id="9999"), "patient_id")] if rows else None


@fault("STR-03", "error", "DE01", "a line of therapy of nobody")
def orphan_line(s: Scene) -> Fields | None:
    """A line that would silently be lost."""
    record, _ = s.line(1, "treatment_line.regimen_text")
    return [(_append(s, record, patient_id="999"), "patient_id")]


@fault("STR-03", "error", "CH01", "an assessment of nobody in a joined sheet")
def orphan_assessment(s: Scene) -> Fields | None:
    """The sheet's id is not in the master sheet."""
    rows = s.rows("assessment", "response.category")
    return [(_append(s, rows[0], patient_id="CH-0999"), "patient_id")] if rows else None


@fault("STR-04", "warning", "DE01", "leading zeros of an id lost")
def leading_zeros_lost(s: Scene) -> Fields | None:
    """Excel made a number of the id."""
    rows = s.rows("assessment", "response.category")
    short = s.patient.local_id.lstrip("0")
    if not rows or short == s.patient.local_id:
        return None
    return [s.set((rows[-1], "patient_id"), short)]


@fault("STR-04", "warning", "US03", "letter of an id lost")
def letter_of_id_lost(s: Scene) -> Fields | None:
    """The laboratory system knows the number only."""
    rows = s.rows("measurement", "lab.value")
    return [s.set((rows[1], "patient_id"), s.patient.local_id[1:])] if len(rows) > 1 else None


@fault("STR-06", "error", "US01", "a stage that does not exist")
def unknown_stage(s: Scene) -> Fields | None:
    """R-ISS has three stages."""
    return [s.set(s.one("risk.r_iss"), Raw(4))]


@fault("STR-06", "error", "ES01", "a sex that is no code of the center")
def unknown_sex(s: Scene) -> Fields | None:
    """A required value of the patient table: the patient is held back."""
    return [s.set(s.one("subject.sex"), Raw("Z"))]


@fault("STR-06", "error", "DE06", "a code without value label")
def code_without_label(s: Scene) -> Fields | None:
    """Neither labelled nor user-missing."""
    return [s.set(s.one("risk.r_iss"), Raw(7))]


@fault("STR-06", "error", "DE07 US01 US02", "a site that no vocabulary knows")
def unknown_site(s: Scene) -> Fields | None:
    """Planted beside another lesion, so that the type of relapse still agrees."""
    rows = s.rows("lesion", "lesion.site")
    extra = [r for r in rows if r.facts["lesion.category"] == "EXTRAOSSEOUS"]
    return [s.set((extra[0], "lesion.site"), Raw("Region 7"))] if len(extra) > 1 else None


@fault("STR-06", "error", "DE01 DE04", "a reason that no vocabulary knows")
def unknown_stop_reason(s: Scene) -> Fields | None:
    """The line is held back; it is the patient's only one."""
    if len(s.patient.lines) > 1:
        return None
    return [s.set(s.line(1, "treatment_line.stop_reason"), Raw("siehe Brief"))]


@fault("STR-06", "error", "DE01", "text instead of a laboratory value", persists=True)
def unreadable_lab_value(s: Scene) -> Fields | None:
    """Not a number, and no known word instead of one."""
    rows = s.rows("sample", "lab.value#CRP")
    return [s.set((rows[0], "lab.value#CRP"), Raw("siehe Anlage"))] if rows else None


@fault("STR-07", "warning", "DE05", "a column that no spec names")
def unknown_column(s: Scene) -> Fields | None:
    """A column that appeared since the center was onboarded."""
    return _new_column(s, 0, Column("weight_kg", "extra.weight", str), 78)


@fault("STR-07", "warning", "US01", "a new column in a laboratory sheet")
def unknown_lab_column(s: Scene) -> Fields | None:
    """As above, in a workbook."""
    return _new_column(s, 3, Column("WBC_(K/uL)", "extra.wbc", lambda v: v), 4.1)


def _new_column(s: Scene, index: int, column: Column, value: object) -> Fields:
    grid = s.export.grids[index]
    for record in grid.records:
        record.facts[column.fact] = value
    grid.columns.append(column)
    header = Record("", {}, HEADER)
    grid.extra[HEADER] = (header, column.header)
    return [(header, column.fact)]


@fault("STR-09", "warning", "DE03", "none ticked together with a site", persists=True)
def none_and_site(s: Scene) -> Fields | None:
    """All unticked or none alone would mean no lesion."""
    return _tick_none(s)


@fault("STR-09", "warning", "DE04 DE03", "none ticked together with a site, label export")
def none_and_site_labels(s: Scene) -> Fields | None:
    """The same contradiction as Checked and Checked."""
    return _tick_none(s)


def _tick_none(s: Scene) -> Fields | None:
    if len(s.patient.lesions) != 1:
        return None
    none = s.set(s.one("lesion.site#NONE"), "Y")
    return [none, s.one(f"lesion.site#{s.patient.lesions[0].site}")]


@fault("STR-10", "error", "DE07 US02", "a drug asked for twice with different answers")
def drug_twice(s: Scene) -> Fields | None:
    """One of the two rows was meant to be another drug."""
    rows = {r.facts["exposure.drug"]: r for r in s.rows("exposure", "exposure.drug")}
    one, two = rows["carfilzomib"], rows["ixazomib"]
    if one.facts["exposure.refractory"] == two.facts["exposure.refractory"]:
        return None
    s.set((two, "exposure.drug"), "carfilzomib")
    return [(one, "exposure.drug"), (two, "exposure.drug")]


@fault("STR-10", "error", "US02", "the same assessment twice", persists=True)
def assessment_twice(s: Scene) -> Fields | None:
    """The later row is flagged, the first is kept."""
    rows = s.rows("assessment", "response.category")
    if not rows:
        return None
    return [(_append(s, rows[0]), "response.response_date"), (rows[0], "response.response_date")]


@fault("STR-10", "error", "DE03 DE01 US02", "two assessments of one day that contradict each other")
def assessments_contradict(s: Scene) -> Fields | None:
    """Minimal response and stable disease on the same day."""
    rows = [
        r for r in s.rows("assessment", "response.category") if r.facts["response.category"] == "MR"
    ]
    if not rows:
        return None
    number = 90
    other = _append(s, rows[0], response__category="SD", treatment_line__line_number=number)
    return [(rows[0], "response.response_date"), (other, "response.response_date")]


@fault("PRV-01", "error", "DE02 DE01", "an e-mail address in a cell of a mapped column")
def e_mail_in_cell(s: Scene) -> Fields | None:
    """A direct identifier; what stands around it is not judged further."""
    if len(s.patient.lines) > 1:
        return None
    text = "Kd, bitte Rückfrage an station7@klinik.example"
    return [s.set(s.line(1, "treatment_line.regimen_text"), Raw(text))]
