"""DE04: label export of a REDCap project: German labels as headers and values, ticked choices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo import facts, words
from demo.biology import DRUGS
from demo.files import csv_bytes, write_bytes
from demo.grid import Coded, Column, Dated, Export, Grid, Record
from demo.model import Patient

DATE = Dated("%Y-%m-%d")
YES = Coded({"Y": "Ja", "N": "Nein", "U": "Unbekannt"})
TICKED = Coded({"Y": "Checked", "N": "Unchecked"})
RISK = Coded({"LOW": "Niedrig", "INTERMEDIATE": "Intermediär", "HIGH": "Hoch"})
ROMAN = Coded({"I": "Stadium I", "II": "Stadium II", "III": "Stadium III"})
PRODUCT = Coded({"IDE": "Abecma (ide-cel)", "CILTA": "Carvykti (cilta-cel)"})
BASE = (
    Column("Geschlecht", "subject.sex", Coded({"F": "Weiblich", "M": "Männlich"})),
    Column("Geburtsjahr", "subject.birth_year"),
    Column("Datum der Erstdiagnose", "subject.diagnosis_date", DATE),
    Column("CAR-T-Zell-Produkt", "infusion.product", PRODUCT),
    Column("Datum der CAR-T-Infusion", "infusion.infusion_date", DATE),
    Column("Alter bei CAR-T-Infusion", "infusion.age_at_infusion"),
    Column("Anzahl der Vortherapien", "infusion.prior_lines"),
    Column("BCMA-gerichtete Vortherapie", "infusion.prior_bcma", YES),
    Column("ECOG bei Salvage", "infusion.ecog"),
    Column("R-ISS", "risk.r_iss", ROMAN),
    Column("MyCARe-Gruppe", "risk.mycare", RISK),
    *(
        Column(f"{words.DE_DRUGS[d]}: {label}", f"exposure.{what}#{d}", YES)
        for d in DRUGS
        for what, label in (("exposed", "vorbehandelt"), ("refractory", "refraktär"))
    ),
    Column("CRS-Grad", "toxicity.grade#CRS"),
    Column("Datum des Rezidivs", "relapse.relapse_date", DATE),
    Column("Extramedulläres Rezidiv", "relapse.emd", YES),
    *(
        Column(f"Lokalisation (choice={label})", f"lesion.site#{site}", TICKED)
        for site, label in (*words.DE_SITES.items(), ("NONE", "keine"))
    ),
    Column("Vitalstatus", "follow_up.vital_status", Coded({"ALIVE": "Lebt", "DEAD": "Verstorben"})),
    Column("Datum letzter Kontakt", "follow_up.last_contact_date", DATE),
    Column("Sterbedatum", "follow_up.death_date", DATE),
    Column("Todesursache", "follow_up.death_cause", Coded(words.DE_CAUSE)),
)
LINE = (
    Column("Therapieregime", "treatment_line.regimen_text"),
    Column("Therapiebeginn", "treatment_line.start_date", DATE),
    Column("Therapieende", "treatment_line.end_date", DATE),
    Column("Grund der Beendigung", "treatment_line.stop_reason", Coded(words.DE_STOP)),
    Column("Bestes Ansprechen", "response.best", Coded(words.RESPONSES)),
    Column("Datum bestes Ansprechen", "response.best_date", DATE),
    Column("Datum Progress", "response.progression_date", DATE),
)
IDENTITY = (
    Column("Record ID", "patient_id"),
    Column("Event Name", "event"),
    Column("Repeat Instrument", "instrument"),
    Column("Repeat Instance", "treatment_line.line_number"),
)


def build(patients: Sequence[Patient], round_: int) -> Export:
    """One file: a row per patient for the base form, a row per line of therapy."""
    columns = [
        *IDENTITY, *BASE, Column("Basis: Complete?", "complete.base"),
        *LINE, Column("Therapie: Complete?", "complete.line"),
        Column("Kommentar", "note"),
    ]  # fmt: skip
    records: list[Record] = []
    for p in patients:
        whole = facts.patient_facts(p, "de", round_)
        base = {c.fact: whole.get(c.fact) for c in BASE if c.fact in whole}
        for c in BASE:
            if c.fact.startswith("lesion.site#"):
                base.setdefault(c.fact, "N")
        base |= {"patient_id": p.local_id, "event": "Basis und Verlauf", "note": facts.NOTE}
        records.append(Record(p.local_id, {**base, "complete.base": "Complete"}, "patient"))
        for row in facts.lines(p, "de"):
            extra = {"event": "Basis und Verlauf", "instrument": "Therapie", "note": facts.NOTE}
            row.facts |= {**extra, "complete.line": "Complete"}
            records.append(row)
    return Export("DE04", round_, [Grid("CART_Salvage_LABELS.csv", "", columns, records)])


def write(export: Export, folder: Path) -> None:
    """Write the delivery (UTF-8 with a byte order mark, as REDCap does for Excel)."""
    grid = export.grids[0]
    content = csv_bytes(grid, encoding="utf-8-sig", newline="\n", quote_all=True)
    write_bytes(folder, grid.file, content)
