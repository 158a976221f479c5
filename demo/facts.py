"""Patients as flat facts, one dictionary per row that a center may write.

Keys are `table.column` of what the row tells; several of a kind in one row carry `#` and a number or a
name (`treatment_line.start_date#2`, `exposure.refractory#lenalidomide`).
"""

from __future__ import annotations

import zlib
from typing import Any

from demo.biology import CD38, DRUGS, FISH, IMIDS, PIS
from demo.grid import Facts, Record
from demo.model import Line, Patient
from demo.regimens import REGIMENS

NOTE = "synthetic data, no real person"


def spelling(regimen: str, language: str, salt: str) -> str:
    """One of the spellings of a regimen that a center of that language might use."""
    known = REGIMENS[regimen].spellings
    options = [*known[""], *known.get(language, ())]
    if language == "es" and regimen in ("TAL", "TEC", "ELRA"):
        options = [*options, *known["es"]]
    return options[zlib.crc32(f"{salt}|{regimen}".encode()) % len(options)]


def patient_facts(p: Patient, language: str, round_: int) -> Facts:
    """Everything that is told once per patient, lines and responses in numbered facts."""
    facts: Facts = {
        "patient_id": p.local_id,
        "note": NOTE,
        "subject.country": p.country,
        "subject.sex": p.sex,
        "subject.birth_year": p.birth_year,
        "subject.diagnosis": "MM",
        "subject.diagnosis_date": p.diagnosis,
        "subject.myeloma_type": p.myeloma_type,
        "subject.consent": "Y",
        "infusion.infusion_number": 1,
        "infusion.product": p.product,
        "infusion.setting": "COMMERCIAL",
        "infusion.apheresis_date": p.apheresis,
        "infusion.lymphodepletion_date": p.lymphodepletion,
        "infusion.infusion_date": p.infusion,
        "infusion.age_at_infusion": p.age,
        "infusion.dose": p.dose,
        "infusion.prior_lines": p.prior_lines,
        "infusion.prior_bcma": "Y" if p.prior_bcma else "N",
        "infusion.ecog": p.ecog,
        "risk.assessment_date": p.lymphodepletion,
        "risk.iss": p.iss,
        "risk.r_iss": p.r_iss,
        "risk.mycare": p.mycare,
        "risk.emd_before_car_t": "Y" if p.emd_before else "N",
        "risk.high_risk_cytogenetics": "Y" if p.high_risk else "N",
        "relapse.relapse_number": 1,
        "relapse.relapse_date": p.relapse,
        "relapse.relapse_type": p.relapse_type,
        "relapse.basis": p.basis,
        "relapse.emd": "Y" if p.emd else "N",
        "relapse.emd_type": _emd_type(p),
        "relapse.imaging_modality": p.lesions[0].modality if p.lesions else None,
        "relapse.months_to_relapse": p.months_to_relapse,
        "follow_up.vital_status": "DEAD" if p.dead else "ALIVE",
        "follow_up.last_contact_date": p.first_contact if round_ == 1 else p.last_contact,
        "follow_up.death_date": p.death,
        "follow_up.death_cause": p.death_cause or None,
        "response.best#0": p.cart_response,
    }
    for test, value in p.labs_before.items():
        facts[f"risk.{test.lower()}"] = value
    for name in FISH:
        facts[f"risk.{name}"] = "Y" if name in p.high_risk else "N"
    facts |= _exposures(p)
    for lesion in p.lesions:
        facts[f"lesion.site#{lesion.site}"] = "Y"
    facts["lesion.site#NONE"] = "N" if p.lesions else "Y"
    for t in p.toxicities:
        facts[f"toxicity.grade#{t.kind}"] = t.grade
        facts[f"toxicity.onset_date#{t.kind}"] = t.onset
    for line in p.lines:
        for name, value in line_facts(p, line, language).items():
            if "." in name:
                facts[f"{name}#{line.number}"] = value
    return facts


def _emd_type(p: Patient) -> str:
    kinds = {lesion.category for lesion in p.lesions}
    if len(kinds) == 2:
        return "BOTH"
    return {"EXTRAOSSEOUS": "EXTRA", "PARAOSSEOUS": "PARA"}[kinds.pop()] if kinds else "NONE"


def _exposures(p: Patient) -> Facts:
    facts: Facts = {}
    for drug in DRUGS:
        facts[f"exposure.exposed#{drug}"] = "Y" if drug in p.exposed else "N"
        facts[f"exposure.refractory#{drug}"] = "Y" if drug in p.refractory else "N"
        facts[f"exposure.status#{drug}"] = (
            "REFRACTORY" if drug in p.refractory else "EXPOSED" if drug in p.exposed else "NO"
        )
    for name, members in (("IMID", IMIDS), ("PI", PIS), ("CD38", CD38)):
        facts[f"exposure.refractory#{name}"] = "Y" if p.refractory & set(members) else "N"
    facts["exposure.refractory#TRIPLE"] = "Y" if p.triple else "N"
    facts["exposure.refractory#PENTA"] = "Y" if p.penta else "N"
    return facts


def line_facts(p: Patient, line: Line, language: str) -> Facts:
    """One line of therapy with its best response and progression."""
    regimen = REGIMENS[line.regimen]
    return {
        "patient_id": p.local_id,
        "treatment_line.line_number": line.number,
        "treatment_line.start_date": line.start,
        "treatment_line.end_date": line.end,
        "treatment_line.regimen_text": spelling(
            line.regimen, language, f"{p.local_id}{line.number}"
        ),
        "treatment_line.salvage_group": regimen.group,
        "treatment_line.stop_reason": line.stop_reason,
        "response.best": line.best,
        "response.best_date": line.best_date,
        "response.progression_date": line.progression,
    }


def lines(p: Patient, language: str) -> list[Record]:
    """One record per line of therapy."""
    return [Record(p.local_id, line_facts(p, line, language), "line") for line in p.lines]


def assessments(p: Patient) -> list[Record]:
    """One record per response assessment."""
    return [
        Record(
            p.local_id,
            {
                "patient_id": p.local_id,
                "response.line_number": a.line,
                "response.kind": "ASSESSMENT",
                "response.response_date": a.date,
                "response.category": a.category,
                "response.m_protein_serum": a.m_serum,
                "response.flc_kappa": a.kappa,
                "response.flc_lambda": a.lambda_,
                "response.immunofixation": a.immunofixation,
            },
            "assessment",
        )
        for a in p.assessments
    ]


def responses(p: Patient) -> list[Record]:
    """Assessments, best responses and progressions of all lines as rows of one table."""
    rows = assessments(p)
    for line in p.lines:
        for kind, date, category in (
            ("BEST", line.best_date, line.best),
            ("PROGRESSION", line.progression, "PD"),
        ):
            if kind == "BEST" or date:
                facts: Facts = {
                    "patient_id": p.local_id,
                    "response.line_number": line.number,
                    "response.kind": kind,
                    "response.response_date": date,
                    "response.category": category,
                }
                rows.append(Record(p.local_id, facts, kind.lower()))
    return rows


def exposures(p: Patient) -> list[Record]:
    """One record per drug that was asked for."""
    known = _exposures(p)
    return [
        Record(
            p.local_id,
            {
                "patient_id": p.local_id,
                "exposure.drug": drug,
                "exposure.exposed": known[f"exposure.exposed#{drug}"],
                "exposure.refractory": known[f"exposure.refractory#{drug}"],
            },
            "exposure",
        )
        for drug in DRUGS
    ]


def lesions(p: Patient) -> list[Record]:
    """One record per lesion at relapse."""
    return [
        Record(
            p.local_id,
            {
                "patient_id": p.local_id,
                "lesion.site": lesion.site,
                "lesion.category": lesion.category,
                "lesion.modality": lesion.modality,
                "lesion.lesion_date": lesion.date,
                "lesion.diameter": lesion.diameter,
                "lesion.timepoint": "RELAPSE",
            },
            "lesion",
        )
        for lesion in p.lesions
    ]


def toxicities(p: Patient) -> list[Record]:
    """One record per event."""
    return [
        Record(
            p.local_id,
            {
                "patient_id": p.local_id,
                "toxicity.kind": t.kind,
                "toxicity.grade": t.grade,
                "toxicity.scale": "ASTCT2019",
                "toxicity.onset_date": t.onset,
                "toxicity.end_date": t.end,
            },
            "toxicity",
        )
        for t in p.toxicities
    ]


def samples(p: Patient) -> list[Record]:
    """One record per sample, a fact per test (`lab.value#HB`)."""
    rows = []
    for lab in p.labs:
        facts: Facts = {"patient_id": p.local_id, "lab.lab_date": lab.date}
        facts |= {f"lab.value#{test}": value for test, value in lab.values.items()}
        rows.append(Record(p.local_id, facts, "sample"))
    return rows


def measurements(p: Patient, tests: tuple[str, ...]) -> list[Record]:
    """One record per measurement, with `extra` left to the center."""
    rows = []
    for lab in p.labs:
        for test in tests:
            facts: dict[str, Any] = {
                "patient_id": p.local_id,
                "lab.lab_date": lab.date,
                "lab.test": test,
                "lab.value": lab.values[test],
            }
            if test == "LDH":
                facts["lab.upper_limit"] = lab.values["LDH_ULN"]
            rows.append(Record(p.local_id, facts, "measurement"))
    return rows


def patient_record(p: Patient, language: str, round_: int) -> Record:
    """The one record of a patient with all that is told once."""
    return Record(p.local_id, patient_facts(p, language, round_), "patient")
