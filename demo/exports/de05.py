"""DE05: one wide UTF-8 CSV: four numbered salvage blocks, ISO dates, own codes for the group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo import facts, words
from demo.biology import DRUGS
from demo.files import csv_bytes, write_bytes
from demo.grid import Coded, Column, Dated, Export, Grid, plain
from demo.model import Patient

DATE = Dated("%Y-%m-%d")
YES = Coded({"Y": "1", "N": "0", "U": "9"})
FILE = "mm_cart_wide.csv"
DEATH_REGISTRY, DEATH_CLINIC = "death.registry", "follow_up.death_date"


def build(patients: Sequence[Patient], round_: int) -> Export:
    """One row per patient; the date of death stands in one of two columns."""
    records = [facts.patient_record(p, "de", round_) for p in patients]
    for i, record in enumerate(records):
        record.facts[DEATH_REGISTRY] = None
        if i % 3 == 2:
            record.facts[DEATH_REGISTRY] = record.facts.pop(DEATH_CLINIC)
    return Export("DE05", round_, [Grid(FILE, "", _columns(), records)])


def _columns() -> list[Column]:
    columns = [
        Column("patient_id", "patient_id"),
        Column("sex", "subject.sex", Coded({"F": "female", "M": "male"})),
        Column("age_at_infusion", "infusion.age_at_infusion"),
        Column("mm_type", "subject.myeloma_type", Coded(words.MYELOMA)),
        Column("product", "infusion.product", Coded({"IDE": "idecabtagene vicleucel", "CILTA": "ciltacabtagene autoleucel"})),
        Column("setting", "infusion.setting", Coded({"COMMERCIAL": "commercial", "TRIAL": "trial"})),
        Column("infusion_date", "infusion.infusion_date", DATE),
        Column("n_prior_lines", "infusion.prior_lines"),
        Column("prior_bcma", "infusion.prior_bcma", YES),
        Column("ecog", "infusion.ecog"),
        Column("r_iss", "risk.r_iss", Coded({"I": "1", "II": "2", "III": "3"})),
        Column("mycare", "risk.mycare", Coded({"LOW": "low risk", "INTERMEDIATE": "intermediate risk", "HIGH": "high risk"})),
        *(Column(f"ref_{d}", f"exposure.refractory#{d}", YES) for d in DRUGS),
        Column("relapse_date", "relapse.relapse_date", DATE),
        Column("months_to_relapse", "relapse.months_to_relapse", plain),
        Column("emd_relapse", "relapse.emd", YES),
    ]  # fmt: skip
    groups = Coded({"TALQ": "A", "TEC": "B", "IPC": "C", "OTHER": "D"})
    for n in range(1, 5):
        columns += [
            Column(f"salvage{n}_regimen", f"treatment_line.regimen_text#{n}"),
            Column(f"salvage{n}_group", f"treatment_line.salvage_group#{n}", groups),
            Column(f"salvage{n}_date", f"treatment_line.start_date#{n}", DATE),
            Column(f"salvage{n}_end", f"treatment_line.end_date#{n}", DATE),
            Column(f"salvage{n}_best", f"response.best#{n}", Coded(words.RESPONSES)),
            Column(f"salvage{n}_best_date", f"response.best_date#{n}", DATE),
            Column(f"salvage{n}_pd", f"response.progression_date#{n}", DATE),
        ]
    return [
        *columns,
        Column("status", "follow_up.vital_status", Coded({"ALIVE": "alive", "DEAD": "dead"})),
        Column("last_contact", "follow_up.last_contact_date", DATE),
        Column("death_date_clinic", DEATH_CLINIC, DATE),
        Column("death_date_registry", DEATH_REGISTRY, DATE),
        Column("comment", "note"),
    ]


def write(export: Export, folder: Path) -> None:
    """Write the delivery."""
    grid = export.grids[0]
    write_bytes(folder, grid.file, csv_bytes(grid, newline="\n"))
