"""Faults for what becomes of a question: new ones in round two, and an id that is corrected."""

from __future__ import annotations

from demo.faults.followed import crs_ends_before_it_begins
from demo.faults.scene import Fields, Scene, fault
from demo.grid import Raw


@fault(
    "LAB-06",
    "error",
    "DE01",
    "hemoglobin in g/l again, in the next sample of a patient whose first one is corrected",
    from_round=2,
    beside="hemoglobin_unit",
)
def next_hemoglobin_unit(s: Scene) -> Fields | None:
    """One visit is mended and the next one breaks: two questions, not one that goes on."""
    rows = s.rows("sample", "lab.value#HB")
    return [s.set((rows[1], "lab.value#HB"), 118)] if len(rows) > 1 else None


@fault(
    "LAB-05", "error", "US03", "creatinine in umol/L, in a sample that was right before",
    from_round=2,
)  # fmt: skip
def creatinine_now_in_other_unit(s: Scene) -> Fields | None:
    """The laboratory changed its unit."""
    rows = [r for r in s.rows("measurement", "lab.value") if r.facts["lab.test"] == "CREATININE"]
    return [s.set((rows[-1], "lab.value"), Raw("104"))] if rows else None


@fault(
    "TOX-06", "warning", "US02 DE07 DE03", "CRS ends before it begins, right before",
    from_round=2,
)  # fmt: skip
def crs_now_ends_before_it_begins(s: Scene) -> Fields | None:
    """Exchanged by a correction that nobody asked for."""
    return crs_ends_before_it_begins(s)


@fault("STR-03", "error", "US03 DE06 US02 CH01 DE01", "a row with a mistyped id of its patient")
def mistyped_id(s: Scene) -> Fields | None:
    """The row is not gone in round two: it stands under the right id."""
    rows = s.rows("measurement", "lab.value") or s.rows("assessment", "response.category")
    own = s.patient.local_id
    other = f"{own[:-3]}9{own[-2:]}"
    return [s.set((rows[-1], "patient_id"), other)] if len(rows) > 1 and other != own else None


@fault(
    "DLV-04", "warning", "DE05", "the date of infusion is another one now, and nobody had asked",
    from_round=2, beside="reported_by_two",
)  # fmt: skip
def infusion_date_now_other(s: Scene) -> Fields | None:
    """Edited by the fault beside it. Found where round one was published before round two came."""
    return [s.one("infusion.infusion_date")]
