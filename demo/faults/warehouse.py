"""Faults that show where the warehouse derives responses, in the round whose deliveries are in force."""

from __future__ import annotations

from demo.faults.scene import Fields, Scene, fault
from demo.grid import Record

CATEGORY = "response.category"
FIXATION = "response.immunofixation"
SERUM, KAPPA, LAMBDA = (
    f"response.{name}" for name in ("m_protein_serum", "flc_kappa", "flc_lambda")
)
LEAST_URINE = 200  # mg/24h: measurable disease


@fault("RSP-08", "warning", "DE01", "stable disease without any M-protein", from_round=2)
def response_not_measured(s: Scene) -> Fields | None:
    """The third complete response in a row, so that the best response stays what it is."""
    rows = [row for row in _assessments(s) if row.facts[CATEGORY] == "CR"]
    if not _urine_was_measurable(s) or len(rows) < 3:
        return None
    return [s.set((rows[2], CATEGORY), "SD"), (rows[2], FIXATION)]


@fault("RSP-09", "warning", "DE01", "progression with the sample of a remission", from_round=2)
def progression_not_measured(s: Scene) -> Fields | None:
    """Neither M-protein nor light chains on the day of progression."""
    rows = _assessments(s)
    if not _urine_was_measurable(s) or not rows or rows[-1].facts[CATEGORY] != "PD":
        return None
    last = rows[-1]
    changed = ((SERUM, 0.0), (KAPPA, 8.1), (LAMBDA, 9.4), (FIXATION, "NEGATIVE"))
    told = [s.set((last, fact), value) for fact, value in changed]
    by_fact = dict(zip((fact for fact, _ in changed), told, strict=True))
    return [(last, CATEGORY), *(by_fact[fact] for fact in (KAPPA, LAMBDA, FIXATION, SERUM))]


def _assessments(s: Scene) -> list[Record]:
    """The patient's assessments of the first line, by date."""
    rows = [row for row in s.rows("assessment", CATEGORY) if row.facts["response.line_number"] == 1]
    return sorted(rows, key=lambda row: row.facts["response.response_date"])


def _urine_was_measurable(s: Scene) -> bool:
    """Whether the last sample before the line shows disease in the urine."""
    start = s.patient.lines[0].start
    before = [lab for lab in s.patient.labs if (start - lab.date).days in range(61)]
    return bool(before) and before[-1].values["M_URINE"] >= LEAST_URINE
