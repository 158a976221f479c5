"""CH01: two workbooks of several sheets joined by an id, real Excel dates, apostrophes in thousands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo import facts, words
from demo.biology import DRUGS
from demo.files import write_bytes
from demo.grid import Coded, Column, Export, Grid, as_is
from demo.model import Patient
from demo.workbook import Book

CLINIC, LABS = "CART_Klinik.xlsx", "CART_Labor_1904.xlsx"
YES = Coded(words.DE_YES)
ID = Column("Fall-ID", "patient_id")


def apostrophe(value: float) -> str:
    """Whole number with an apostrophe between the thousands."""
    return f"{round(value):,}".replace(",", "'")


def micromole(value: float) -> float:
    """Creatinine: mg/dL as µmol/L."""
    return round(value * 88.4, 1)


def build(patients: Sequence[Patient], round_: int) -> Export:
    """Eight sheets in the clinic's workbook, one in the laboratory's (1904 date system)."""
    whole = [facts.patient_record(p, "de", round_) for p in patients]
    sheets = {
        "Stamm": (_master(), whole),
        "CAR-T": (_cart(), list(whole)),
        "Vortherapie": (_prior(), list(whole)),
        "Rezidiv": (_relapse(), list(whole)),
        "Läsionen": (_lesion(), [r for p in patients for r in facts.lesions(p)]),
        "Therapie": (_therapy(), [r for p in patients for r in facts.lines(p, "de")]),
        "Ansprechen": (_response(), [r for p in patients for r in facts.assessments(p)]),
        "Verlauf": (_course(), list(whole)),
    }
    grids = [Grid(CLINIC, name, [ID, *columns], rows) for name, (columns, rows) in sheets.items()]
    samples = [r for p in patients for r in facts.samples(p)]
    return Export("CH01", round_, [*grids, Grid(LABS, "Labor", [ID, *_lab()], samples)])


def _master() -> list[Column]:
    return [
        Column("Geschlecht", "subject.sex", Coded({"F": "Frau", "M": "Mann"})),
        Column("Jahrgang", "subject.birth_year", as_is),
        Column("Erstdiagnose", "subject.diagnosis_date", as_is),
        Column("Bemerkung", "note"),
    ]


def _cart() -> list[Column]:
    return [
        Column("Produkt", "infusion.product", Coded({"IDE": "Abecma®", "CILTA": "Carvykti®"})),
        Column("Leukapherese", "infusion.apheresis_date", as_is),
        Column("Lymphodepletion", "infusion.lymphodepletion_date", as_is),
        Column("Infusion", "infusion.infusion_date", as_is),
        Column("Alter", "infusion.age_at_infusion", as_is),
        Column("Vortherapielinien", "infusion.prior_lines", as_is),
        Column("ECOG", "infusion.ecog", as_is),
        Column("Ferritin (µg/l)", "risk.ferritin", apostrophe),
        Column("Ferritin Obergrenze", "risk.ferritin_uln", apostrophe),
    ]


def _prior() -> list[Column]:
    return [
        Column("BCMA", "infusion.prior_bcma", YES),
        Column("R-ISS", "risk.r_iss", Coded(words.STAGES)),
        Column("MyCARe", "risk.mycare", Coded({"LOW": "tief", "INTERMEDIATE": "mittel", "HIGH": "hoch"})),
        *(Column(f"{words.DE_DRUGS[d]} refraktär", f"exposure.refractory#{d}", YES) for d in DRUGS),
    ]  # fmt: skip


def _relapse() -> list[Column]:
    return [
        Column("Rezidivdatum", "relapse.relapse_date", as_is),
        Column("Monate seit CAR-T", "relapse.months_to_relapse", as_is),
        Column("EMD", "relapse.emd", YES),
    ]


def _lesion() -> list[Column]:
    kinds = {"EXTRAOSSEOUS": "extraossär", "PARAOSSEOUS": "paraossär"}
    return [
        Column("Lokalisation", "lesion.site", Coded(words.DE_SITES)),
        Column("Art", "lesion.category", Coded(kinds)),
        Column("Bildgebung", "lesion.modality", Coded(words.DE_MODALITY)),
        Column("Datum", "lesion.lesion_date", as_is),
        Column("Durchmesser (mm)", "lesion.diameter", as_is),
    ]


def _therapy() -> list[Column]:
    return [
        Column("Linie", "treatment_line.line_number", as_is),
        Column("Therapie", "treatment_line.regimen_text"),
        Column("von", "treatment_line.start_date", as_is),
        Column("bis", "treatment_line.end_date", as_is),
        Column("Bestes Ansprechen", "response.best", Coded(words.RESPONSES)),
        Column("Ansprechen am", "response.best_date", as_is),
        Column("Progress am", "response.progression_date", as_is),
    ]


def _response() -> list[Column]:
    return [
        Column("Linie", "response.line_number", as_is),
        Column("Datum", "response.response_date", as_is),
        Column("IMWG", "response.category", Coded(words.RESPONSES)),
        Column("Paraprotein (g/l)", "response.m_protein_serum", as_is),
    ]


def _course() -> list[Column]:
    return [
        Column("Status", "follow_up.vital_status", Coded({"ALIVE": "lebend", "DEAD": "verstorben"})),
        Column("Letzter Kontakt", "follow_up.last_contact_date", as_is),
        Column("Todesdatum", "follow_up.death_date", as_is),
    ]  # fmt: skip


def _lab() -> list[Column]:
    return [
        Column("Datum", "lab.lab_date", as_is),
        Column("Hb (g/l)", "lab.value#HB", lambda v: round(v * 10)),
        Column("Kreatinin (µmol/l)", "lab.value#CREATININE", micromole),
        Column("Ferritin (µg/l)", "lab.value#FERRITIN", apostrophe),
        Column("LDH (U/l)", "lab.value#LDH", apostrophe),
    ]


def write(export: Export, folder: Path) -> None:
    """Write both workbooks."""
    for file in (CLINIC, LABS):
        book = Book(date_1904=file == LABS)
        bold = book.format(bold=True)
        for grid in export.grids:
            if grid.file == file:
                book.sheet(grid, header_format=bold)
        book.note_sheet("Hinweis")
        write_bytes(folder, file, book.content())
