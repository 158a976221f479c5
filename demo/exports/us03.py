"""US03: a CSV of patients, a CSV of lines, and a long laboratory extract of the hospital's record."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from pathlib import Path

from demo import facts, words
from demo.biology import DRUGS
from demo.files import csv_bytes, write_bytes
from demo.grid import Coded, Column, Dated, Export, Facts, Grid, Record, plain
from demo.model import Patient

DATE = Dated("%m/%d/%Y")
YES = Coded(words.EN_YES)
# Test → (name in the record, unit, factor from the unit that the test is kept in).
TESTS = {
    "M_SERUM": ("M-SPIKE, SERUM", "g/dL", 0.1),
    "FLC_KAPPA": ("FREE KAPPA LIGHT CHAINS", "mg/dL", 0.1),
    "FLC_LAMBDA": ("FREE LAMBDA LIGHT CHAINS", "mg/dL", 0.1),
    "LDH": ("LACTATE DEHYDROGENASE", "U/L", 1),
    "HB": ("HEMOGLOBIN", "g/dL", 1),
    "CREATININE": ("CREATININE", "mg/dL", 1),
    "B2M": ("BETA-2 MICROGLOBULIN", "mg/L", 1),
    "FERRITIN": ("FERRITIN", "ng/mL", 1),
    "ALBUMIN": ("ALBUMIN", "g/dL", 0.1),
    "M_URINE": ("M-PROTEIN, URINE 24H", "mg/24h", 1),
}
NAMES = Coded({test: name for test, (name, _, _) in TESTS.items()})


def build(patients: Sequence[Patient], round_: int) -> Export:
    """Three files; the best response and its date share a cell (`PR 03/12/2023`)."""
    whole = [facts.patient_record(p, "en", round_) for p in patients]
    lines = [r for p in patients for r in facts.lines(p, "en")]
    for record in lines:
        record.facts["response.best_and_date"] = _joined(record.facts)
    labs = [_measured(r, i) for i, r in enumerate(_measurements(patients))]
    return Export(
        "US03",
        round_,
        [
            Grid("patients.csv", "", _patients(), whole),
            Grid("salvage_lines.csv", "", _lines(), lines),
            Grid("ehr_lab_extract.csv", "", _labs(), labs),
        ],
    )


def _joined(known: Facts) -> str:
    best, date = known["response.best"], known["response.best_date"]
    return f"{best} {DATE(date)}" if date else str(best)


def _measurements(patients: Sequence[Patient]) -> list[Record]:
    """All measurements; the highest ferritin is above what the assay can measure."""
    rows = [r for p in patients for r in facts.measurements(p, tuple(TESTS))]
    ferritins = [r for r in rows if r.facts["lab.test"] == "FERRITIN"]
    for record in sorted(ferritins, key=lambda r: -r.facts["lab.value"])[:1]:
        record.facts["lab.value"] = max(record.facts["lab.value"], 2400)
    return rows


def _measured(record: Record, i: int) -> Record:
    """Value, unit, reference and time stamp as the laboratory system prints them."""
    known = record.facts
    _, unit, factor = TESTS[known["lab.test"]]
    rng = random.Random(f"{record.patient}{i}")
    offset = "-05:00" if known["lab.lab_date"].month in (11, 12, 1, 2, 3) else "-04:00"
    clock = dt.time(rng.choice((6, 7, 8, 14, 23)), rng.randint(0, 59))
    known["lab.collected"] = f"{known['lab.lab_date'].isoformat()}T{clock.isoformat()}{offset}"
    value = known["lab.value"] * factor
    text = plain(round(value, 2))
    if known["lab.test"] == "FERRITIN" and value > 2000:
        text = ">2000"
    if known["lab.test"] == "FLC_LAMBDA" and value < 1:
        text = "<1.0"
    known |= {"lab.value": text, "lab.unit": unit}
    return record


def _patients() -> list[Column]:
    return [
        Column("PatientID", "patient_id"),
        Column("Sex", "subject.sex"),
        Column("BirthYear", "subject.birth_year"),
        Column("DxDate", "subject.diagnosis_date", DATE),
        Column("Product", "infusion.product", Coded({"IDE": "ide-cel (Abecma)", "CILTA": "cilta-cel (Carvykti)"})),
        Column("InfusionDate", "infusion.infusion_date", DATE),
        Column("AgeAtInfusion", "infusion.age_at_infusion"),
        Column("PriorLines", "infusion.prior_lines"),
        Column("PriorBCMA", "infusion.prior_bcma", YES),
        Column("ECOG", "infusion.ecog"),
        Column("RISS", "risk.r_iss"),
        Column("MyCARe", "risk.mycare", Coded({"LOW": "low", "INTERMEDIATE": "int", "HIGH": "high"})),
        *(Column(f"{d.capitalize()}_exposed", f"exposure.exposed#{d}", YES) for d in DRUGS),
        *(Column(f"{d.capitalize()}_refractory", f"exposure.refractory#{d}", YES) for d in DRUGS),
        Column("RelapseDate", "relapse.relapse_date", DATE),
        Column("MonthsToRelapse", "relapse.months_to_relapse", plain),
        Column("EMD", "relapse.emd", YES),
        Column("VitalStatus", "follow_up.vital_status", Coded({"ALIVE": "alive", "DEAD": "dead"})),
        Column("LastContact", "follow_up.last_contact_date", DATE),
        Column("DeathDate", "follow_up.death_date", DATE, "NA"),
        Column("Comment", "note"),
    ]  # fmt: skip


def _lines() -> list[Column]:
    return [
        Column("PatientID", "patient_id"),
        Column("LineNo", "treatment_line.line_number"),
        Column("Regimen", "treatment_line.regimen_text"),
        Column("StartDate", "treatment_line.start_date", DATE),
        Column("StopDate", "treatment_line.end_date", DATE),
        Column("BestResponse", "response.best_and_date"),
        Column("ProgressionDate", "response.progression_date", DATE),
    ]


def _labs() -> list[Column]:
    return [
        Column("PAT_ID", "patient_id"),
        Column("COLLECTED_AT", "lab.collected"),
        Column("COMPONENT", "lab.test", NAMES),
        Column("VALUE", "lab.value"),
        Column("UNIT", "lab.unit"),
        Column("REF_HIGH", "lab.upper_limit", plain),
    ]


def write(export: Export, folder: Path) -> None:
    """Write the delivery."""
    for grid in export.grids:
        write_bytes(folder, grid.file, csv_bytes(grid, newline="\n"))
    write_bytes(folder, "README.txt", b"Synthetic data: no real person is described.\n")
