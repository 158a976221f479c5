"""DE02: one hand-kept workbook: merged two-row headers, colors, words for months, a legend below."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from demo import facts, words
from demo.biology import DRUGS
from demo.files import write_bytes
from demo.grid import Coded, Column, Dated, Export, Grid, as_is, comma
from demo.model import Patient
from demo.workbook import SYNTHETIC, Book

DATE = Dated("%d.%m.%Y")
YES = Coded(words.DE_YES)
SHORT = {
    "lenalidomide": "Len",
    "pomalidomide": "Pom",
    "thalidomide": "Thal",
    "bortezomib": "Bor",
    "carfilzomib": "Carf",
    "ixazomib": "Ixa",
    "daratumumab": "Dara",
    "isatuximab": "Isa",
}
REMARKS = ("", "kommt zur Kontrolle", "Befunde angefordert", "", "Zuweiser informiert", "")
LEGEND = (
    "Legende",
    "grün = lebt, grau = verstorben",
    "Refraktär: ja/nein; leer = nicht gefragt",
    SYNTHETIC,
)


def in_words(date: dt.date) -> str:
    """Month and year in words, as people write first diagnoses from memory."""
    return f"{words.MONTHS_DE[date.month - 1]} {date.year}"


def build(patients: Sequence[Patient], round_: int) -> Export:
    """One sheet, one row per patient; the headers stand in rows 2 and 3, data from row 4."""
    records = [facts.patient_record(p, "de", round_) for p in patients]
    for i, record in enumerate(records):
        record.facts["remark"] = REMARKS[i % len(REMARKS)] or None
    grid = Grid("CAR-T_Liste.xlsx", "Patienten", _columns(), records, first_row=4)
    return Export("DE02", round_, [grid])


def _columns() -> list[Column]:
    columns = [
        Column("Stammdaten / ID", "patient_id"),
        Column("Stammdaten / Geschl.", "subject.sex", Coded({"F": "weiblich", "M": "männlich"})),
        Column("Stammdaten / Geb.-Jahr", "subject.birth_year", as_is),
        Column("Stammdaten / ED", "subject.diagnosis_date", in_words),
        Column("CAR-T / Produkt", "infusion.product", Coded({"IDE": "ide-cel", "CILTA": "cilta-cel"})),
        Column("CAR-T / Datum", "infusion.infusion_date", DATE),
        Column("CAR-T / Alter", "infusion.age_at_infusion", as_is),
        Column("CAR-T / Vortherapien", "infusion.prior_lines", as_is),
        Column("CAR-T / BCMA vorher", "infusion.prior_bcma", YES),
        Column("CAR-T / ECOG", "infusion.ecog", as_is),
        Column("Risiko / R-ISS", "risk.r_iss", Coded(words.STAGES)),
        Column("Risiko / MyCARe", "risk.mycare", Coded({"LOW": "low", "INTERMEDIATE": "intermediär", "HIGH": "high"})),
        Column("Risiko / Albumin", "risk.albumin", lambda v: f"{comma(v)} g/l"),
        *(Column(f"Refraktär / {SHORT[d]}", f"exposure.refractory#{d}", YES) for d in DRUGS),
        Column("Rezidiv / Datum", "relapse.relapse_date", DATE),
        Column("Rezidiv / EMD", "relapse.emd", YES),
    ]  # fmt: skip
    for n in range(1, 5):
        columns += [
            Column(f"{n}. Salvage / Regime", f"treatment_line.regimen_text#{n}"),
            Column(f"{n}. Salvage / Beginn", f"treatment_line.start_date#{n}", DATE),
            Column(f"{n}. Salvage / Ende", f"treatment_line.end_date#{n}", DATE),
            Column(f"{n}. Salvage / bestes Ansprechen", f"response.best#{n}", Coded(words.DE_RESPONSES)),
            Column(f"{n}. Salvage / Ansprechen am", f"response.best_date#{n}", DATE),
            Column(f"{n}. Salvage / Progress am", f"response.progression_date#{n}", DATE),
        ]  # fmt: skip
    return [
        *columns,
        Column("Verlauf / Status", "follow_up.vital_status", Coded({"ALIVE": "lebt", "DEAD": "Exitus"})),
        Column("Verlauf / letzter Kontakt", "follow_up.last_contact_date", DATE),
        Column("Verlauf / verstorben am", "follow_up.death_date", DATE),
        Column("Verlauf / Bemerkung", "remark"),
    ]  # fmt: skip


def write(export: Export, folder: Path) -> None:
    """Write the delivery."""
    grid = export.grids[0]
    book = Book()
    head = book.format(bold=True, bg_color="#D9E1F2", border=1, align="center")
    sheet = book.two_row_sheet(grid, head)
    sheet.write_string(0, 0, "CAR-T Liste (Stand siehe Dateidatum)", book.format(italic=True))
    sheet.freeze_panes(grid.first_row - 1, 1)
    green, grey = book.format(bg_color="#E2EFDA"), book.format(bg_color="#D9D9D9")
    for i, record in enumerate(grid.records, start=grid.first_row - 1):
        alive = record.facts.get("follow_up.vital_status") == "ALIVE"
        sheet.set_row(i, None, green if alive else grey)
    end = grid.first_row + len(grid.records)
    for i, text in enumerate([f"n = {len(grid.records)}", *LEGEND]):
        sheet.write_string(end + i, 0, text)
    write_bytes(folder, grid.file, book.content())
