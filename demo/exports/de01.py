"""DE01: semicolon CSVs from German Excel, Windows code page, decimal comma, dd.mm.yyyy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo import facts, words
from demo.biology import DRUGS
from demo.files import csv_bytes, write_bytes
from demo.grid import Coded, Column, Dated, Export, Grid, comma
from demo.model import Patient

DATE = Dated("%d.%m.%Y")
YES = Coded(words.DE_YES)
ID = Column("Pat-Nr", "patient_id")


def build(patients: Sequence[Patient], round_: int) -> Export:
    """Five files: patients, course, lines, responses (long), samples (wide)."""
    whole = [facts.patient_record(p, "de", round_) for p in patients]
    return Export(
        "DE01",
        round_,
        [
            Grid("Patienten.csv", "", _patient_columns(), whole),
            Grid("Verlauf.csv", "", _course_columns(), list(whole)),
            Grid("Therapielinien.csv", "", _line_columns(), [r for p in patients for r in facts.lines(p, "de")]),
            Grid("Ansprechen.csv", "", _response_columns(), [r for p in patients for r in facts.responses(p)]),
            Grid("Labor.csv", "", _lab_columns(), [r for p in patients for r in facts.samples(p)]),
        ],
    )  # fmt: skip


def write(export: Export, folder: Path) -> None:
    """Write the delivery."""
    for grid in export.grids:
        write_bytes(folder, grid.file, csv_bytes(grid, delimiter=";", encoding="cp1252"))
    note = "Synthetische Daten: keine wirkliche Person kommt darin vor.\r\n"
    write_bytes(folder, "LIESMICH.txt", note.encode("cp1252"))


def _patient_columns() -> list[Column]:
    status = Coded({"REFRACTORY": "refraktär", "EXPOSED": "exponiert", "NO": "nie"})
    drugs = [Column(words.DE_DRUGS[d], f"exposure.status#{d}", status) for d in DRUGS]
    return [
        ID,
        Column("Geschlecht", "subject.sex", Coded(words.DE_SEX)),
        Column("Geburtsjahr", "subject.birth_year"),
        Column("Erstdiagnose", "subject.diagnosis_date", DATE),
        Column("Myelomtyp", "subject.myeloma_type", Coded(words.MYELOMA)),
        Column("CAR-T-Produkt", "infusion.product", Coded({"IDE": "Abecma", "CILTA": "Carvykti"})),
        Column("Rahmen", "infusion.setting", Coded({"COMMERCIAL": "kommerziell", "TRIAL": "Studie"})),
        Column("Apherese", "infusion.apheresis_date", DATE),
        Column("Beginn Lymphodepletion", "infusion.lymphodepletion_date", DATE),
        Column("CAR-T-Infusion", "infusion.infusion_date", DATE),
        Column("Alter bei Infusion", "infusion.age_at_infusion"),
        Column("Zelldosis (10^6)", "infusion.dose", comma, "k.A."),
        Column("Anzahl Vortherapien", "infusion.prior_lines"),
        Column("BCMA-Therapie vor CAR-T", "infusion.prior_bcma", YES),
        Column("ECOG", "infusion.ecog"),
        Column("ISS", "risk.iss", Coded(words.STAGES)),
        Column("R-ISS", "risk.r_iss", Coded(words.STAGES)),
        Column("MyCARe", "risk.mycare", Coded({"LOW": "niedrig", "INTERMEDIATE": "mittel", "HIGH": "hoch"})),
        Column("b2-Mikroglobulin (mg/l)", "risk.b2m", comma),
        Column("Albumin (g/l)", "risk.albumin", comma),
        Column("LDH (U/l)", "risk.ldh", comma),
        Column("LDH Obergrenze", "risk.ldh_uln", comma),
        Column("del(17p)", "risk.del_17p", YES),
        Column("t(4;14)", "risk.t_4_14", YES),
        Column("t(14;16)", "risk.t_14_16", YES),
        *drugs,
        Column("Hinweis", "note"),
    ]  # fmt: skip


def _course_columns() -> list[Column]:
    return [
        ID,
        Column("Rezidiv am", "relapse.relapse_date", DATE),
        Column("Art des Rezidivs", "relapse.relapse_type", Coded(words.DE_RELAPSE)),
        Column("EMD bei Rezidiv", "relapse.emd", YES),
        Column("Monate bis Rezidiv", "relapse.months_to_relapse", comma),
        Column("Status", "follow_up.vital_status", Coded({"ALIVE": "lebt", "DEAD": "verstorben"})),
        Column("Letzter Kontakt", "follow_up.last_contact_date", DATE),
        Column("Todesdatum", "follow_up.death_date", DATE),
        Column("Todesursache", "follow_up.death_cause", Coded(words.DE_CAUSE)),
    ]


def _line_columns() -> list[Column]:
    groups = {"TALQ": "Talquetamab", "TEC": "Teclistamab", "IPC": "IMiD/PI/CD38", "OTHER": "andere"}
    return [
        ID,
        Column("Linie nach CAR-T", "treatment_line.line_number"),
        Column("Beginn", "treatment_line.start_date", DATE),
        Column("Ende", "treatment_line.end_date", DATE),
        Column("Regime", "treatment_line.regimen_text"),
        Column("Gruppe", "treatment_line.salvage_group", Coded(groups)),
        Column("Grund für Ende", "treatment_line.stop_reason", Coded(words.DE_STOP)),
    ]


def _response_columns() -> list[Column]:
    kinds = {"ASSESSMENT": "Beurteilung", "BEST": "Bestes Ansprechen", "PROGRESSION": "Progress"}
    fixation = {"NEGATIVE": "negativ", "POSITIVE": "positiv"}
    return [
        ID,
        Column("Linie", "response.line_number"),
        Column("Art", "response.kind", Coded(kinds)),
        Column("Datum", "response.response_date", DATE),
        Column("Ansprechen", "response.category", Coded(words.DE_RESPONSES)),
        Column("M-Protein (g/l)", "response.m_protein_serum", comma),
        Column("Kappa frei (mg/l)", "response.flc_kappa", comma),
        Column("Lambda frei (mg/l)", "response.flc_lambda", comma),
        Column("Immunfixation", "response.immunofixation", Coded(fixation)),
    ]


def _lab_columns() -> list[Column]:
    tests = {
        "HB": "Hb (g/dl)",
        "CREATININE": "Kreatinin (mg/dl)",
        "LDH": "LDH (U/l)",
        "CRP": "CRP (mg/l)",
        "FERRITIN": "Ferritin (µg/l)",
        "BMPC": "KM-Plasmazellen (%)",
        "M_URINE": "M-Protein Urin (mg/24h)",
    }
    return [
        ID,
        Column("Abnahme", "lab.lab_date", DATE),
        *(Column(header, f"lab.value#{test}", comma) for test, header in tests.items()),
    ]
