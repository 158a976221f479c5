"""Faults after CAR-T that contradict another fact of the patient: response, toxicity, lines, death."""

from __future__ import annotations

import datetime as dt

from demo.faults.scene import Fields, Scene, fault
from demo.grid import Raw


@fault("RSP-06", "warning", "DE01 DE03", "complete response with positive immunofixation")
def complete_with_immunofixation(s: Scene) -> Fields | None:
    """The antibody of the therapy, or a lower response."""
    for row in s.rows("assessment", "response.immunofixation"):
        if row.facts["response.category"] in ("CR", "sCR"):
            return [
                (row, "response.category"),
                s.set((row, "response.immunofixation"), "POSITIVE"),
            ]
    return None


@fault("TOX-06", "warning", "US02 DE07 DE03", "CRS ends before it begins")
def crs_ends_before_it_begins(s: Scene) -> Fields | None:
    """Exchanged dates."""
    for row in s.rows("toxicity", "toxicity.end_date"):
        onset = row.facts["toxicity.onset_date"]
        if row.facts["toxicity.kind"] == "CRS" and onset:
            early = s.set((row, "toxicity.end_date"), onset - dt.timedelta(days=2))
            return [early, (row, "toxicity.onset_date")]
    return None


@fault("TOX-10", "warning", "DE07 US02 DE03", "CRS of grade 1 or more without onset")
def crs_without_onset(s: Scene) -> Fields | None:
    """The end stays."""
    for row in s.rows("toxicity", "toxicity.onset_date"):
        if row.facts["toxicity.kind"] == "CRS" and row.facts["toxicity.onset_date"]:
            return [s.set((row, "toxicity.onset_date"), None), (row, "toxicity.grade")]
    return None


@fault("SAL-06", "error", "DE07 DE04 DE01", "lymphodepletion entered as the only line")
def lymphodepletion_as_line(s: Scene) -> Fields | None:
    """What it prepared for is missing."""
    if len(s.patient.lines) > 1:
        return None
    regimen = s.line(1, "treatment_line.regimen_text")
    return [s.set(regimen, Raw("Flu/Cy"))]


@fault("SUR-04", "warning", "DE04 US01 DE01", "dead without a cause")
def death_without_cause(s: Scene) -> Fields | None:
    """Not even "unknown"."""
    if (
        not s.patient.dead
        or s.one("follow_up.vital_status")[0].facts["follow_up.vital_status"] != "DEAD"
    ):
        return None
    return [s.set(s.one("follow_up.death_cause"), None), s.one("follow_up.vital_status")]
