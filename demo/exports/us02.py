"""US02: SAS transport files, one data set per table, names of eight characters, SAS dates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo import facts, words
from demo.files import write_bytes
from demo.grid import Coded, Column, Export, Grid, Record, as_is
from demo.model import Patient
from demo.statfiles import xpt_bytes

YES = Coded({"Y": "Y", "N": "N", "U": "U"})
KINDS = {"ASSESSMENT": "ASSESS", "BEST": "BEST", "PROGRESSION": "PD"}
# Data set → variables: name, label, fact, format.
TABLES: dict[str, list[tuple[str, str, str, object]]] = {
    "DM": [
        ("SEX", "Sex", "subject.sex", Coded({"F": "F", "M": "M"})),
        ("BRTHYR", "Year of birth", "subject.birth_year", as_is),
        ("DXDT", "Date of diagnosis", "subject.diagnosis_date", as_is),
        ("MMTYPE", "Type of myeloma", "subject.myeloma_type", Coded({**words.MYELOMA, "LIGHT_CHAIN": "light chain", "NON_SECRETORY": "non-secretory"})),
    ],
    "EX": [
        ("PRODUCT", "CAR-T product", "infusion.product", Coded({"IDE": "ABECMA", "CILTA": "CARVYKTI"})),
        ("SETTING", "Setting", "infusion.setting", Coded({"COMMERCIAL": "COMMERCIAL", "TRIAL": "TRIAL"})),
        ("APHDT", "Apheresis", "infusion.apheresis_date", as_is),
        ("LDDT", "Start of lymphodepletion", "infusion.lymphodepletion_date", as_is),
        ("EXDT", "Date of infusion", "infusion.infusion_date", as_is),
        ("AGE", "Age at infusion", "infusion.age_at_infusion", as_is),
        ("DOSE", "CAR+ T cells (10^6)", "infusion.dose", as_is),
        ("NLINES", "Prior lines", "infusion.prior_lines", as_is),
        ("PRIBCMA", "Prior BCMA therapy", "infusion.prior_bcma", YES),
        ("ECOG", "ECOG at salvage", "infusion.ecog", as_is),
    ],
    "RK": [
        ("RISS", "R-ISS", "risk.r_iss", Coded({"I": "Stage I", "II": "Stage II", "III": "Stage III"})),
        ("MYCARE", "MyCARe group", "risk.mycare", Coded({"LOW": "LOW", "INTERMEDIATE": "INTERMEDIATE", "HIGH": "HIGH"})),
        ("FERRITIN", "Ferritin (ng/mL)", "risk.ferritin", as_is),
        ("FERULN", "Upper limit of ferritin", "risk.ferritin_uln", as_is),
    ],
    "XP": [
        ("DRUG", "Drug", "exposure.drug", str),
        ("EXPOSED", "Exposed", "exposure.exposed", YES),
        ("REFRACT", "Refractory", "exposure.refractory", YES),
    ],
    "RL": [
        ("RELDT", "Date of relapse", "relapse.relapse_date", as_is),
        ("EMDTYPE", "Type of EMD", "relapse.emd_type", Coded({"NONE": "None", "PARA": "paraosseous", "EXTRA": "extraosseous", "BOTH": "both"})),
    ],
    "LS": [
        ("SITE", "Site", "lesion.site", Coded(words.EN_SITES)),
        ("CAT", "Category", "lesion.category", Coded({"EXTRAOSSEOUS": "extraosseous", "PARAOSSEOUS": "paraosseous"})),
        ("MODALITY", "Imaging", "lesion.modality", Coded(words.EN_MODALITY)),
        ("LSDT", "Date of imaging", "lesion.lesion_date", as_is),
        ("DIAM", "Longest diameter (mm)", "lesion.diameter", as_is),
    ],
    "LT": [
        ("LINENO", "Line after CAR-T", "treatment_line.line_number", as_is),
        ("REGIMEN", "Regimen", "treatment_line.regimen_text", str),
        ("STDT", "Start", "treatment_line.start_date", as_is),
        ("ENDT", "End", "treatment_line.end_date", as_is),
        ("STOPRSN", "Reason for end", "treatment_line.stop_reason", Coded(words.EN_STOP)),
    ],
    "RS": [
        ("LINENO", "Line after CAR-T", "response.line_number", as_is),
        ("RSKIND", "Kind of record", "response.kind", Coded(KINDS)),
        ("RSDT", "Date", "response.response_date", as_is),
        ("RSSTRESC", "Response", "response.category", Coded(words.RESPONSES)),
        ("MSPIKE", "Serum M-protein (g/dL)", "response.m_protein_serum", lambda v: round(v / 10, 2)),
    ],
    "FU": [
        ("STATUS", "Vital status", "follow_up.vital_status", Coded({"ALIVE": "ALIVE", "DEAD": "DEAD"})),
        ("LCDT", "Last contact", "follow_up.last_contact_date", as_is),
        ("DTHDT", "Date of death", "follow_up.death_date", as_is),
        ("DTHCAUS", "Cause of death", "follow_up.death_cause", Coded(words.EN_CAUSE)),
    ],
    "TX": [
        ("TXTERM", "Event", "toxicity.kind", str),
        ("TXGRADE", "Grade", "toxicity.grade", as_is),
        ("TXSCALE", "Scale", "toxicity.scale", Coded({"ASTCT2019": "ASTCT"})),
        ("TXSTDT", "Onset", "toxicity.onset_date", as_is),
        ("TXENDT", "Resolution", "toxicity.end_date", as_is),
    ],
}  # fmt: skip


def build(patients: Sequence[Patient], round_: int) -> Export:
    """Ten data sets; rows are counted from the first observation."""
    whole = [facts.patient_record(p, "en", round_) for p in patients]
    records: dict[str, list[Record]] = {
        "XP": [r for p in patients for r in facts.exposures(p)],
        "LS": [r for p in patients for r in facts.lesions(p)],
        "LT": [r for p in patients for r in facts.lines(p, "en")],
        "RS": [r for p in patients for r in facts.responses(p)],
        "TX": [r for p in patients for r in facts.toxicities(p)],
    }
    grids = []
    for name, variables in TABLES.items():
        columns = [Column("SUBJID", "patient_id")]
        columns += [Column(v[0], v[2], v[3]) for v in variables]  # type: ignore[arg-type]
        kept = records.get(name, list(whole))
        grids.append(Grid(f"{name.lower()}.xpt", "", columns, kept, first_row=1))
    return Export("US02", round_, grids)


def write(export: Export, folder: Path) -> None:
    """Write the delivery."""
    for grid, (name, variables) in zip(export.grids, TABLES.items(), strict=True):
        labels = {"SUBJID": "Subject", **{v[0]: v[1] for v in variables}}
        dates = {v[0] for v in variables if "_date" in v[2]}
        write_bytes(folder, grid.file, xpt_bytes(grid, dates, labels, name))
    write_bytes(folder, "readme.txt", b"Synthetic data: no real person is described.\n")
