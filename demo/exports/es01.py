"""ES01: a Spanish workbook: H/M for the sexes, dd/mm/yyyy, sí/no, Spanish responses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo import facts
from demo.files import write_bytes
from demo.grid import Coded, Column, Dated, Export, Grid, as_is, comma
from demo.model import Patient
from demo.workbook import Book

FILE = "Base_CART_mieloma.xlsx"
DATE = Dated("%d/%m/%Y")
YES = Coded({"Y": "sí", "N": "no", "U": "desconocido"})
RESPONSES = {
    "sCR": "RCe", "CR": "RC", "VGPR": "MBRP", "PR": "RP", "MR": "RM", "SD": "EE", "PD": "EP",
    "NE": "no evaluable",
}  # fmt: skip
CAUSES = {
    "MYELOMA": "mieloma",
    "INFECTION": "infección",
    "TOXICITY": "toxicidad",
    "OTHER": "otra",
    "UNKNOWN": "desconocida",
}
ID = Column("Nº paciente", "patient_id")


def build(patients: Sequence[Patient], round_: int) -> Export:
    """Two sheets: patients and lines."""
    whole = [facts.patient_record(p, "es", round_) for p in patients]
    lines = [r for p in patients for r in facts.lines(p, "es")]
    return Export(
        "ES01",
        round_,
        [Grid(FILE, "Pacientes", _patients(), whole), Grid(FILE, "Líneas", _lines(), lines)],
    )


def _patients() -> list[Column]:
    return [
        ID,
        Column("Sexo (H/M)", "subject.sex", Coded({"M": "H", "F": "M"})),
        Column("Año de nacimiento", "subject.birth_year", as_is),
        Column("Fecha de diagnóstico", "subject.diagnosis_date", DATE),
        Column("Producto CAR-T", "infusion.product", Coded({"IDE": "ide-cel", "CILTA": "cilta-cel"})),
        Column("Fecha de infusión", "infusion.infusion_date", DATE),
        Column("Edad en la infusión", "infusion.age_at_infusion", as_is),
        Column("Líneas previas", "infusion.prior_lines", as_is),
        Column("BCMA previo", "infusion.prior_bcma", YES),
        Column("ECOG", "infusion.ecog", as_is),
        Column("R-ISS", "risk.r_iss"),
        Column("MyCARe", "risk.mycare", Coded({"LOW": "bajo", "INTERMEDIATE": "intermedio", "HIGH": "alto"})),
        Column("β2-microglobulina (mg/L)", "risk.b2m", comma),
        Column("Triple refractario", "exposure.refractory#TRIPLE", YES),
        Column("Penta refractario", "exposure.refractory#PENTA", YES),
        Column("Fecha de recaída", "relapse.relapse_date", DATE),
        Column("Enfermedad extramedular", "relapse.emd", YES),
        Column("Estado", "follow_up.vital_status", Coded({"ALIVE": "vivo", "DEAD": "fallecido"})),
        Column("Último contacto", "follow_up.last_contact_date", DATE),
        Column("Fecha de fallecimiento", "follow_up.death_date", DATE, "-"),
        Column("Causa", "follow_up.death_cause", Coded(CAUSES)),
    ]  # fmt: skip


def _lines() -> list[Column]:
    return [
        ID,
        Column("Línea", "treatment_line.line_number", as_is),
        Column("Esquema", "treatment_line.regimen_text"),
        Column("Inicio", "treatment_line.start_date", DATE),
        Column("Fin", "treatment_line.end_date", DATE),
        Column("Mejor respuesta", "response.best", Coded(RESPONSES)),
        Column("Fecha de respuesta", "response.best_date", DATE),
        Column("Fecha de progresión", "response.progression_date", DATE),
    ]


def write(export: Export, folder: Path) -> None:
    """Write the delivery."""
    book = Book(date_format="dd/mm/yyyy")
    bold = book.format(bold=True, bg_color="#FFF2CC")
    for grid in export.grids:
        book.sheet(grid, header_format=bold)
    book.note_sheet("Notas", ["Datos sintéticos.", "H = hombre, M = mujer."])
    write_bytes(folder, FILE, book.content())
