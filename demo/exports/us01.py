"""US01: a workbook with US text dates, g/dL, headers that remember a wide sheet, yes in three ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from demo import facts, words
from demo.files import write_bytes
from demo.grid import Cell, Coded, Column, Dated, Export, Grid, as_is
from demo.model import Patient
from demo.workbook import Book

FILE = "CART_salvage_database.xlsx"
DATE = Dated("%m/%d/%Y")
YES = Coded({"Y": "yes", "N": "no", "U": "unknown"})
YES_CAPITAL = Coded({"Y": "Yes", "N": "No", "U": "Unknown"})
YESES = Coded({"Y": "yeses", "N": "no", "U": "unknown"})
ID = Column("ID", "patient_id")


def per_dl(value: float) -> Cell:
    """g/L as g/dL."""
    return round(value / 10, 2)


def build(patients: Sequence[Patient], round_: int) -> Export:
    """Four sheets: cohort, salvage lines, lesions, labs."""
    whole = [facts.patient_record(p, "en", round_) for p in patients]
    samples = [r for p in patients for r in facts.samples(p)]
    return Export(
        "US01",
        round_,
        [
            Grid(FILE, "Cohort", _cohort(), whole),
            Grid(FILE, "Salvage", _salvage(), [r for p in patients for r in facts.lines(p, "en")]),
            Grid(FILE, "EMD lesions", _lesions(), [r for p in patients for r in facts.lesions(p)]),
            Grid(FILE, "Labs", _labs(), samples),
        ],
    )


def _cohort() -> list[Column]:
    return [
        ID,
        Column("Gender", "subject.sex", Coded({"F": "Female", "M": "Male"})),
        Column("Year_of_birth", "subject.birth_year", as_is),
        Column("Date_of_MM_diagnosis", "subject.diagnosis_date", DATE),
        Column("CAR-T_product", "infusion.product", Coded({"IDE": "Ide-cel", "CILTA": "Cilta-cel"})),
        Column("Commercial_or_trial", "infusion.setting", Coded({"COMMERCIAL": "commercial", "TRIAL": "clinical trial"})),
        Column("Date_of_CAR-T_infusion", "infusion.infusion_date", DATE),
        Column("Age_at_CAR-T", "infusion.age_at_infusion", as_is),
        Column("#_of_prior_LOT", "infusion.prior_lines", as_is),
        Column("___________________Exposure_to_BCMA_prior_to_CAR-T", "infusion.prior_bcma", YES_CAPITAL),
        Column("ECOG_at_salvage_(0-4)", "infusion.ecog", as_is),
        Column("R-ISS_(1,2,3)", "risk.r_iss", Coded({"I": 1, "II": 2, "III": 3})),
        Column("MyCARe_group", "risk.mycare", Coded({"LOW": "Low", "INTERMEDIATE": "Intermediate", "HIGH": "High"})),
        Column("Del_17p_(yeses,_no)", "risk.del_17p", YESES),
        Column("t(4,14)", "risk.t_4_14", YES),
        Column("t(14,16)", "risk.t_14_16", YES),
        Column("Albumin_(g/dL)", "risk.albumin", per_dl),
        Column("B2M_(mg/L)", "risk.b2m", as_is),
        Column("Triple_class_refractory", "exposure.refractory#TRIPLE", YES),
        Column("Penta_refractory", "exposure.refractory#PENTA", YES_CAPITAL),
        Column("Date_of_relapse", "relapse.relapse_date", DATE),
        Column("EMD_at_relapse", "relapse.emd", YES),
        Column("Status_at_last_FU", "follow_up.vital_status", Coded({"ALIVE": "Alive", "DEAD": "Deceased"})),
        Column("Date_of_last_FU", "follow_up.last_contact_date", DATE),
        Column("Date_of_death", "follow_up.death_date", DATE),
        Column("Cause_of_death", "follow_up.death_cause", Coded(words.EN_CAUSE)),
    ]  # fmt: skip


def _salvage() -> list[Column]:
    groups = {"TALQ": "Talquetamab", "TEC": "Teclistamab", "IPC": "IMiD/PI/CD38", "OTHER": "Other"}
    return [
        ID,
        Column("Line", "treatment_line.line_number", as_is),
        Column("Regimen", "treatment_line.regimen_text"),
        Column("Category", "treatment_line.salvage_group", Coded(groups)),
        Column("Start", "treatment_line.start_date", DATE),
        Column("Stop", "treatment_line.end_date", DATE),
        Column("Best_response", "response.best", Coded(words.RESPONSES)),
        Column("Date_best_response", "response.best_date", DATE),
        Column("Date_PD", "response.progression_date", DATE),
    ]


def _lesions() -> list[Column]:
    kinds = {"EXTRAOSSEOUS": "extraosseous", "PARAOSSEOUS": "paraosseous"}
    return [
        ID,
        Column("Site", "lesion.site", Coded(words.EN_SITES)),
        Column("Type_of_EMD", "lesion.category", Coded(kinds)),
        Column("Imaging", "lesion.modality", Coded(words.EN_MODALITY)),
        Column("Imaging_date", "lesion.lesion_date", DATE),
        Column("Largest_diameter_(mm)", "lesion.diameter", as_is),
    ]


def _labs() -> list[Column]:
    tests: dict[str, tuple[str, Callable[[Any], Cell]]] = {
        "HB": ("Hgb_(g/dL)", as_is),
        "M_SERUM": ("SPEP_M-spike_(g/dL)", per_dl),
        "CREATININE": ("Creatinine_(mg/dL)", as_is),
        "LDH": ("LDH_(U/L)", as_is),
        "FERRITIN": ("Ferritin_(ng/mL)", as_is),
    }
    values = [Column(header, f"lab.value#{t}", write) for t, (header, write) in tests.items()]
    return [ID, Column("Lab_date", "lab.lab_date", DATE), *values]


def write(export: Export, folder: Path) -> None:
    """Write the delivery."""
    book = Book(date_format="mm/dd/yyyy")
    bold = book.format(bold=True)
    for grid in export.grids:
        sheet = book.sheet(grid, header_format=bold)
        if grid.sheet == "Salvage":  # a filter was left on when the file was saved
            sheet.autofilter(0, 0, len(grid.records), len(grid.columns) - 1)
            for i, record in enumerate(grid.records, start=1):
                if record.facts["treatment_line.line_number"] != 1:
                    sheet.set_row(i, None, None, {"hidden": True})
    book.note_sheet("Read me", ["Dates are month/day/year."])
    write_bytes(folder, FILE, book.content())
