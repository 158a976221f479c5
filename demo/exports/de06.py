"""DE06: SPSS files with value labels and user-missing codes; laboratory values long with units."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo import facts, words
from demo.biology import DRUGS
from demo.files import write_bytes
from demo.grid import Coded, Column, Export, Grid, as_is
from demo.model import Patient
from demo.statfiles import sav_bytes

RESPONSES = {"sCR": 1, "CR": 2, "VGPR": 3, "PR": 4, "MR": 5, "SD": 6, "PD": 7, "NE": 8}
STAGE = {"I": 1, "II": 2, "III": 3}
RISK = {"LOW": 1, "INTERMEDIATE": 2, "HIGH": 3}
YES = {"N": 0, "Y": 1, "U": 9}
TESTS = {"HB": 1, "CREATININE": 2, "M_SERUM": 3, "FLC_KAPPA": 4, "FLC_LAMBDA": 5, "ALBUMIN": 6}
UNITS = {
    "HB": "g/l", "CREATININE": "mg/dl", "M_SERUM": "g/l", "FLC_KAPPA": "mg/l",
    "FLC_LAMBDA": "mg/l", "ALBUMIN": "g/l",
}  # fmt: skip
# Variable → (label, fact, codes, user-missing codes); codes None: number, text or date.
Variable = tuple[str, str, dict[str, int] | None, tuple[int, ...]]
VARIABLES: dict[str, Variable] = {
    "PATNR": ("Patientennummer", "patient_id", None, ()),
    "SEX": ("Geschlecht", "subject.sex", {"M": 1, "F": 2}, (9,)),
    "GEBJAHR": ("Geburtsjahr", "subject.birth_year", None, (9999,)),
    "ED": ("Datum Erstdiagnose", "subject.diagnosis_date", None, ()),
    "PRODUKT": ("CAR-T-Produkt", "infusion.product", {"IDE": 1, "CILTA": 2}, (9,)),
    "APHDAT": ("Apherese", "infusion.apheresis_date", None, ()),
    "LDDAT": ("Beginn Lymphodepletion", "infusion.lymphodepletion_date", None, ()),
    "INFDAT": ("CAR-T-Infusion", "infusion.infusion_date", None, ()),
    "ALTER": ("Alter bei Infusion", "infusion.age_at_infusion", None, (999,)),
    "DOSIS": ("CAR-positive Zellen (10^6)", "infusion.dose", None, (9999,)),
    "NLINIEN": ("Anzahl Vortherapien", "infusion.prior_lines", None, (99,)),
    "BCMAVOR": ("BCMA-Therapie vor CAR-T", "infusion.prior_bcma", YES, (9,)),
    "ECOG": ("ECOG bei Salvage", "infusion.ecog", None, (9,)),
    "ISS": ("ISS", "risk.iss", STAGE, (9,)),
    "RISS": ("R-ISS", "risk.r_iss", STAGE, (9,)),
    "MYCARE": ("MyCARe-Gruppe", "risk.mycare", RISK, (9,)),
    "B2M": ("Beta-2-Mikroglobulin mg/l", "risk.b2m", None, (-99,)),
    "ALB": ("Albumin g/l", "risk.albumin", None, (-99,)),
    "LDH": ("LDH U/l", "risk.ldh", None, (-99,)),
    "LDHULN": ("LDH Obergrenze U/l", "risk.ldh_uln", None, (-99,)),
    **{
        f"{d[:4].upper()}{short}": (f"{words.DE_DRUGS[d]} {what_de}", f"exposure.{what}#{d}", YES, (9,))
        for d in DRUGS
        for short, what, what_de in (("EXP", "exposed", "exponiert"), ("REF", "refractory", "refraktär"))
    },
    "RELDAT": ("Rezidiv nach CAR-T", "relapse.relapse_date", None, ()),
    "EMD": ("EMD bei Rezidiv", "relapse.emd", YES, (9,)),
    **{
        f"{name}{n}": (f"{label} {n}. Salvage", f"{fact}#{n}", codes, missing)
        for n in range(1, 5)
        for name, label, fact, codes, missing in (
            ("REG", "Regime", "treatment_line.regimen_text", None, ()),
            ("BEG", "Beginn", "treatment_line.start_date", None, ()),
            ("END", "Ende", "treatment_line.end_date", None, ()),
            ("RSP", "Bestes Ansprechen", "response.best", RESPONSES, (99,)),
            ("RSPDAT", "Datum Ansprechen", "response.best_date", None, ()),
            ("PDDAT", "Progress", "response.progression_date", None, ()),
        )
    },
    "STATUS": ("Vitalstatus", "follow_up.vital_status", {"ALIVE": 1, "DEAD": 2}, (9,)),
    "LKDAT": ("Letzter Kontakt", "follow_up.last_contact_date", None, ()),
    "TODDAT": ("Todesdatum", "follow_up.death_date", None, ()),
    "TODURS": ("Todesursache", "follow_up.death_cause", {"MYELOMA": 1, "INFECTION": 2, "TOXICITY": 3, "OTHER": 4, "UNKNOWN": 8}, (99,)),
}  # fmt: skip
LAB: dict[str, Variable] = {
    "PATNR": ("Patientennummer", "patient_id", None, ()),
    "LABDAT": ("Abnahmedatum", "lab.lab_date", None, ()),
    "TEST": ("Messgröße", "lab.test", TESTS, ()),
    "WERT": ("Messwert", "lab.value", None, (-99,)),
    "EINHEIT": ("Einheit", "lab.unit", None, ()),
}


def build(patients: Sequence[Patient], round_: int) -> Export:
    """Two files: a wide cohort file and long laboratory values."""
    whole = [facts.patient_record(p, "de", round_) for p in patients]
    for i, record in enumerate(whole):  # asked and not known is a user-missing code
        if i % 5 == 4:
            record.facts["risk.iss"] = None
    labs = [r for p in patients for r in facts.measurements(p, tuple(TESTS))]
    for record in labs:
        test = record.facts["lab.test"]
        record.facts["lab.unit"] = UNITS[test]
        if test == "HB":
            record.facts["lab.value"] = round(record.facts["lab.value"] * 10)
    return Export(
        "DE06",
        round_,
        [
            Grid("cart_kohorte.sav", "", _columns(VARIABLES), whole, first_row=1),
            Grid("labor.sav", "", _columns(LAB), labs, first_row=1),
        ],
    )


def _columns(variables: dict[str, Variable]) -> list[Column]:
    columns = []
    for name, (_, fact, codes, missing) in variables.items():
        write = as_is if codes is None else Coded(codes)
        asked = "#" not in fact or "exposure" in fact  # what no line asks for is system-missing
        numeric = asked and (codes is not None or fact in ("infusion.dose", "lab.value"))
        columns.append(Column(name, fact, write, missing[0] if numeric and missing else None))
    return columns


def write(export: Export, folder: Path) -> None:
    """Write the delivery."""
    for grid, variables in zip(export.grids, (VARIABLES, LAB), strict=True):
        labels = {name: v[0] for name, v in variables.items()}
        coded = {n: {c: k for k, c in v[2].items()} for n, v in variables.items() if v[2]}
        coded = {n: {c: _german(k) for c, k in v.items()} for n, v in coded.items()}
        for name, (_, _, codes, missing) in variables.items():
            if codes and missing:
                coded[name][missing[0]] = "fehlt"
        missing_codes = {name: list(v[3]) for name, v in variables.items() if v[3]}
        dates = {name for name, v in variables.items() if "_date" in v[1]}
        content = sav_bytes(grid, dates, labels, coded, missing_codes)  # type: ignore[arg-type]
        write_bytes(folder, grid.file, content)


def _german(code: str) -> str:
    named = {
        "Y": "ja", "N": "nein", "U": "unbekannt", "M": "männlich", "F": "weiblich",
        "ALIVE": "lebt", "DEAD": "verstorben", "LOW": "niedrig", "INTERMEDIATE": "intermediär",
        "HIGH": "hoch", "IDE": "ide-cel", "CILTA": "cilta-cel", **words.DE_CAUSE,
    }  # fmt: skip
    return named.get(code, code)
