"""DE07: a zip of registry CSVs with own letters for responses and rows of another study."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from demo import facts, words
from demo.files import csv_bytes, write_bytes, zip_bytes
from demo.grid import Coded, Column, Dated, Export, Grid, Record, comma
from demo.model import Patient

ZIP = "registerexport.zip"
OWN, OTHER = "MM-CART", "LYMPHOM-7"
DATE = Dated("%d.%m.%Y")
YES = Coded({"Y": "J", "N": "N", "U": "U"})
LETTERS = {
    "sCR": "S", "CR": "V", "VGPR": "G", "PR": "T", "MR": "B", "SD": "K", "PD": "P", "NE": "U",
}  # fmt: skip
KINDS = {"ASSESSMENT": "1", "BEST": "2", "PROGRESSION": "3"}
ID, STUDY = Column("PAT_ID", "patient_id"), Column("STUDIE", "study")


def build(patients: Sequence[Patient], round_: int) -> Export:
    """Nine tables and a codebook in one archive; two patients of another study stand in each."""
    language = "de"
    whole = [facts.patient_record(p, language, round_) for p in patients]
    tables = {
        "patient": (_patient(), whole),
        "cart": (_cart(), list(whole)),
        "substanzen": (_drugs(), [r for p in patients for r in facts.exposures(p)]),
        "rezidiv": (_relapse(), list(whole)),
        "laesion": (_lesion(), [r for p in patients for r in facts.lesions(p)]),
        "therapie": (_therapy(), [r for p in patients for r in facts.lines(p, language)]),
        "ansprechen": (_response(), [r for p in patients for r in facts.responses(p)]),
        "toxizitaet": (_toxicity(), [r for p in patients for r in facts.toxicities(p)]),
        "verlauf": (_course(), list(whole)),
    }
    foreign = _foreign()
    grids = []
    for name, (columns, records) in tables.items():
        for record in records:
            record.facts["study"] = OWN
        kept = [*records, *(r for r in foreign if name in ("patient", "cart", "verlauf"))]
        grids.append(Grid(f"{ZIP}/{name}.csv", "", [ID, STUDY, *columns], kept))
    return Export("DE07", round_, grids)


def _foreign() -> list[Record]:
    """Two patients of another study of the registry: rows that are not ours."""
    found = []
    for n, sex in ((901, "M"), (902, "F")):
        known = {
            "patient_id": f"L{n:05d}",
            "study": OTHER,
            "subject.sex": sex,
            "subject.birth_year": 1950 + n % 10,
            "infusion.infusion_date": dt.date(2022, 5, n % 10 + 1),
            "infusion.product": "OTHER",
            "follow_up.vital_status": "ALIVE",
            "follow_up.last_contact_date": dt.date(2024, 4, 2),
            "note": facts.NOTE,
        }
        found.append(Record(f"L{n:05d}", known, "foreign"))
    return found


def _patient() -> list[Column]:
    return [
        Column("GESCHLECHT", "subject.sex", Coded({"M": "M", "F": "W"})),
        Column("GEBURTSJAHR", "subject.birth_year"),
        Column("DIAGNOSEDATUM", "subject.diagnosis_date", DATE),
        Column("HINWEIS", "note"),
    ]


def _cart() -> list[Column]:
    products = {"IDE": "L01XL07", "CILTA": "L01XL05", "OTHER": "L01XL03"}
    return [
        Column("PRODUKT_ATC", "infusion.product", Coded(products)),
        Column("APHERESE", "infusion.apheresis_date", DATE),
        Column("LD_BEGINN", "infusion.lymphodepletion_date", DATE),
        Column("INFUSION", "infusion.infusion_date", DATE),
        Column("ALTER", "infusion.age_at_infusion"),
        Column("VORTHERAPIEN", "infusion.prior_lines"),
        Column("BCMA_VOR", "infusion.prior_bcma", YES),
        Column("ECOG", "infusion.ecog"),
        Column("R_ISS", "risk.r_iss", Coded({"I": "1", "II": "2", "III": "3"})),
        Column("MYCARE", "risk.mycare", Coded({"LOW": "N", "INTERMEDIATE": "I", "HIGH": "H"})),
    ]


def _drugs() -> list[Column]:
    return [
        Column("SUBSTANZ", "exposure.drug", Coded(words.DE_DRUGS)),
        Column("EXPONIERT", "exposure.exposed", YES),
        Column("REFRAKTAER", "exposure.refractory", YES),
    ]


def _relapse() -> list[Column]:
    kinds = {"NONE": "0", "PARA": "1", "EXTRA": "2", "BOTH": "3"}
    return [
        Column("REZIDIVDATUM", "relapse.relapse_date", DATE),
        Column("EMD_ART", "relapse.emd_type", Coded(kinds)),
    ]


def _lesion() -> list[Column]:
    return [
        Column("ORT", "lesion.site", Coded(words.DE_SITES)),
        Column("ART", "lesion.category", Coded({"EXTRAOSSEOUS": "E", "PARAOSSEOUS": "P"})),
        Column("VERFAHREN", "lesion.modality", Coded(words.DE_MODALITY)),
        Column("DATUM", "lesion.lesion_date", DATE),
        Column("GROESSE_MM", "lesion.diameter", comma),
    ]


def _therapy() -> list[Column]:
    return [
        Column("LINIE", "treatment_line.line_number"),
        Column("BEGINN", "treatment_line.start_date", DATE),
        Column("ENDE", "treatment_line.end_date", DATE),
        Column("PROTOKOLL", "treatment_line.regimen_text"),
    ]


def _response() -> list[Column]:
    return [
        Column("LINIE", "response.line_number"),
        Column("ANGABE", "response.kind", Coded(KINDS)),
        Column("DATUM", "response.response_date", DATE),
        Column("BEURTEILUNG", "response.category", Coded(LETTERS)),
    ]


def _toxicity() -> list[Column]:
    return [
        Column("EREIGNIS", "toxicity.kind"),
        Column("GRAD", "toxicity.grade"),
        Column("SKALA", "toxicity.scale", Coded({"ASTCT2019": "ASTCT 2019"})),
        Column("BEGINN", "toxicity.onset_date", DATE),
        Column("ENDE", "toxicity.end_date", DATE),
    ]


def _course() -> list[Column]:
    return [
        Column("STATUS", "follow_up.vital_status", Coded({"ALIVE": "L", "DEAD": "T"})),
        Column("LETZTER_KONTAKT", "follow_up.last_contact_date", DATE),
        Column("TODESDATUM", "follow_up.death_date", DATE),
        Column("TODESURSACHE", "follow_up.death_cause", Coded(words.DE_CAUSE)),
    ]


def write(export: Export, folder: Path) -> None:
    """Write the archive."""
    members = [
        (grid.file.removeprefix(f"{ZIP}/"), csv_bytes(grid, delimiter=";", newline="\n"))
        for grid in export.grids
    ]
    letters = [f"ansprechen.BEURTEILUNG;{own};{code}" for code, own in LETTERS.items()]
    kinds = [f"ansprechen.ANGABE;{own};{code}" for code, own in KINDS.items()]
    book = "\n".join(["FELD;CODE;BEDEUTUNG", *letters, *kinds, "alle;;Synthetische Daten"]) + "\n"
    members.append(("codebuch.csv", book.encode()))
    write_bytes(folder, ZIP, zip_bytes(members))
