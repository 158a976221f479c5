"""DE03: raw export of a longitudinal REDCap project with repeating instruments and a dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from demo import facts, words
from demo.biology import DRUGS
from demo.files import csv_bytes, write_bytes
from demo.grid import Coded, Column, Dated, Export, Facts, Grid, Record, plain
from demo.model import Patient

DATE = Dated("%Y-%m-%d")
SITES = {site: n for n, site in enumerate(words.EN_SITES, start=1)}
NO_SITE = 99
RESPONSES = {"sCR": 1, "CR": 2, "VGPR": 3, "PR": 4, "MR": 5, "SD": 6, "PD": 7, "NE": 8}
STOP = {"PROGRESSION": 1, "TOXICITY": 2, "PLANNED": 3, "DEATH": 4, "ONGOING": 5, "OTHER": 6}
CAUSE = {"MYELOMA": 1, "INFECTION": 2, "TOXICITY": 3, "OTHER": 4, "UNKNOWN": 9}
SEX, PRODUCT, SETTING = {"M": 1, "F": 2}, {"IDE": 1, "CILTA": 2}, {"COMMERCIAL": 1, "TRIAL": 2}
STAGE, MYCARE = {"I": 1, "II": 2, "III": 3}, {"LOW": 1, "INTERMEDIATE": 2, "HIGH": 3}
EMD = {"NONE": 0, "PARA": 1, "EXTRA": 2, "BOTH": 3}
VITAL = {"ALIVE": 1, "DEAD": 2, "LOST": 3}
TOXICITY = {"CRS": 1, "ICANS": 2}
FIXATION = {"NEGATIVE": 0, "POSITIVE": 1}
YES = {"Y": 1, "N": 0, "U": 9}
# Field of the project → (form, label, fact, codes or None for dates and numbers).
Field = tuple[str, str, str, Mapping[str, int] | None]

FIELDS: dict[str, Field] = {
    "sex": ("baseline", "Sex", "subject.sex", SEX),
    "birth_year": ("baseline", "Year of birth", "subject.birth_year", None),
    "dx_date": ("baseline", "Date of first diagnosis", "subject.diagnosis_date", None),
    "product": ("baseline", "CAR-T product", "infusion.product", PRODUCT),
    "setting": ("baseline", "Setting", "infusion.setting", SETTING),
    "aph_date": ("baseline", "Apheresis", "infusion.apheresis_date", None),
    "ld_date": ("baseline", "Start of lymphodepletion", "infusion.lymphodepletion_date", None),
    "cart_date": ("baseline", "CAR-T infusion", "infusion.infusion_date", None),
    "cart_age": ("baseline", "Age at infusion", "infusion.age_at_infusion", None),
    "cart_dose": ("baseline", "CAR-positive cells (10^6)", "infusion.dose", None),
    "prior_lines": ("baseline", "Lines before CAR-T", "infusion.prior_lines", None),
    "prior_bcma": ("baseline", "BCMA-directed therapy before", "infusion.prior_bcma", YES),
    "ecog": ("baseline", "ECOG at salvage", "infusion.ecog", None),
    "riss": ("baseline", "R-ISS", "risk.r_iss", STAGE),
    "mycare": ("baseline", "MyCARe group", "risk.mycare", MYCARE),
    **{
        f"{drug[:4]}_{short}": ("baseline", f"{drug} {what}", f"exposure.{what}#{drug}", YES)
        for drug in DRUGS
        for short, what in (("exp", "exposed"), ("ref", "refractory"))
    },
    "rel_date": ("relapse", "Relapse after CAR-T", "relapse.relapse_date", None),
    "rel_emd_type": ("relapse", "Extramedullary disease", "relapse.emd_type", EMD),
    "vital": ("followup", "Vital status", "follow_up.vital_status", VITAL),
    "lc_date": ("followup", "Last contact", "follow_up.last_contact_date", None),
    "death_date": ("followup", "Date of death", "follow_up.death_date", None),
    "death_cause": ("followup", "Cause of death", "follow_up.death_cause", CAUSE),
    "line_regimen": ("therapy", "Regimen", "treatment_line.regimen_text", None),
    "line_start": ("therapy", "Start", "treatment_line.start_date", None),
    "line_end": ("therapy", "End", "treatment_line.end_date", None),
    "line_stop": ("therapy", "Reason for the end", "treatment_line.stop_reason", STOP),
    "line_best": ("therapy", "Best response", "response.best", RESPONSES),
    "line_best_date": ("therapy", "Date of best response", "response.best_date", None),
    "line_pd_date": ("therapy", "Date of progression", "response.progression_date", None),
    "as_line": ("assessment", "Line (0 = CAR-T)", "response.line_number", None),
    "as_date": ("assessment", "Date of assessment", "response.response_date", None),
    "as_resp": ("assessment", "Response (IMWG)", "response.category", RESPONSES),
    "as_mprot": ("assessment", "Serum M-protein (g/L)", "response.m_protein_serum", None),
    "as_kappa": ("assessment", "Kappa FLC (mg/L)", "response.flc_kappa", None),
    "as_lambda": ("assessment", "Lambda FLC (mg/L)", "response.flc_lambda", None),
    "as_ife": ("assessment", "Immunofixation", "response.immunofixation", FIXATION),
    "tox_kind": ("toxicity", "Event", "toxicity.kind", TOXICITY),
    "tox_grade": ("toxicity", "Highest grade (ASTCT)", "toxicity.grade", None),
    "tox_onset": ("toxicity", "Onset", "toxicity.onset_date", None),
    "tox_end": ("toxicity", "Resolution", "toxicity.end_date", None),
}  # fmt: skip
EVENTS = {"baseline": "baseline_arm_1", "relapse": "relapse_arm_1", "followup": "followup_arm_1"}
REPEATING = ("therapy", "assessment", "toxicity")


def build(patients: Sequence[Patient], round_: int) -> Export:
    """One file; a row per event or repeating instrument of a record."""
    records = [r for p in patients for r in _records(p, round_)]
    columns = [
        Column("record_id", "patient_id"),
        Column("redcap_event_name", "event"),
        Column("redcap_repeat_instrument", "instrument"),
        Column("redcap_repeat_instance", "treatment_line.line_number"),
    ]
    for form in ("baseline", "relapse", "followup", *REPEATING):
        columns += [_column(name, f) for name, f in FIELDS.items() if f[0] == form]
        if form == "relapse":
            ticked = Coded({"Y": "1", "N": "0"})
            columns += [
                Column(f"emd_site___{n}", f"lesion.site#{site}", ticked)
                for site, n in (*SITES.items(), ("NONE", NO_SITE))
            ]
        columns.append(Column(f"{form}_complete", f"complete.{form}"))
    return Export("DE03", round_, [Grid("cart_registry_raw.csv", "", columns, records)])


def _column(name: str, field: Field) -> Column:
    _, _, fact, codes = field
    if codes is not None:
        return Column(name, fact, Coded({code: str(n) for code, n in codes.items()}))
    return Column(name, fact, DATE if "date" in fact else plain if _number(fact) else str)


def _number(fact: str) -> bool:
    return fact.split(".")[1] in ("m_protein_serum", "flc_kappa", "flc_lambda", "dose")


def _records(p: Patient, round_: int) -> list[Record]:
    whole = facts.patient_facts(p, "de", round_)
    found = [_event(p, whole, form, event) for form, event in EVENTS.items()]
    for site in (*SITES, "NONE"):
        found[1].facts.setdefault(f"lesion.site#{site}", whole.get(f"lesion.site#{site}", "N"))
    for form, rows in (
        ("therapy", facts.lines(p, "de")),
        ("assessment", facts.assessments(p)),
        ("toxicity", facts.toxicities(p)),
    ):
        for n, row in enumerate(rows, start=1):
            row.facts |= {"event": "followup_arm_1", "instrument": form, f"complete.{form}": "2"}
            row.facts["treatment_line.line_number"] = n
            found.append(row)
    return found


def _event(p: Patient, whole: Facts, form: str, event: str) -> Record:
    kept = {f[2]: whole[f[2]] for f in FIELDS.values() if f[0] == form}
    kept |= {"patient_id": p.local_id, "event": event, f"complete.{form}": "2"}
    return Record(p.local_id, kept, form)


def write(export: Export, folder: Path) -> None:
    """Write the export, the data dictionary and a note."""
    grid = export.grids[0]
    write_bytes(folder, grid.file, csv_bytes(grid, newline="\n"))
    write_bytes(folder, "cart_registry_data_dictionary.csv", csv_bytes(_dictionary(), newline="\n"))
    write_bytes(folder, "README.txt", b"Synthetic data: no real person is described.\n")


LABELS = {
    "M": "male", "F": "female", "IDE": "ide-cel", "CILTA": "cilta-cel",
    "COMMERCIAL": "commercial", "TRIAL": "clinical trial",
    "LOW": "low", "INTERMEDIATE": "intermediate", "HIGH": "high",
    "NONE": "none", "PARA": "para-osseous only", "EXTRA": "extraosseous", "BOTH": "both",
    "ALIVE": "alive", "DEAD": "dead", "LOST": "lost to follow-up",
    "Y": "yes", "N": "no", "U": "unknown", "NEGATIVE": "negative", "POSITIVE": "positive",
    **words.EN_CAUSE, **words.EN_STOP,
}  # fmt: skip
# The columns of a REDCap data dictionary, in its fixed order.
DICTIONARY = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note",
    "Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max",
    "Identifier?", "Branching Logic (Show field only if...)", "Required Field?",
    "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip


def _dictionary() -> Grid:
    rows = [_entry("record_id", "baseline", "text", "Record", note="synthetic data")]
    for name, (form, label, fact, codes) in FIELDS.items():
        choices = " | ".join(f"{n}, {LABELS.get(code, code)}" for code, n in (codes or {}).items())
        check = "date_ymd" if "date" in fact and codes is None else ""
        rows.append(_entry(name, form, "radio" if codes else "text", label, choices, check=check))
        if name == "rel_emd_type":
            sites = [*((n, words.EN_SITES[s]) for s, n in SITES.items()), (NO_SITE, "none")]
            text = " | ".join(f"{n}, {label}" for n, label in sites)
            rows.append(_entry("emd_site", "relapse", "checkbox", "Sites of EMD", text))
    columns = [Column(header, header) for header in DICTIONARY]
    return Grid("cart_registry_data_dictionary.csv", "", columns, rows)


def _entry(
    name: str, form: str, kind: str, label: str, choices: str = "", note: str = "", check: str = ""
) -> Record:
    told = (name, form, "", kind, label, choices, note, check)
    return Record("", dict(zip(DICTIONARY, told, strict=False)))
