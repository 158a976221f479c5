"""Faults of eligibility, ranges, units, prior therapy and lesions."""

from __future__ import annotations

from demo.faults.scene import Fields, Scene, fault
from demo.grid import Raw


@fault("ELG-02", "error", "ES01", "an academic product")
def academic_product(s: Scene) -> Fields | None:
    """Not an error: the patient does not belong to the study."""
    return [s.set(s.one("infusion.product"), Raw("ARI0002h"))]


@fault("ELG-03", "error", "DE01", "infused in a trial")
def infused_in_trial(s: Scene) -> Fields | None:
    """As above."""
    return [s.set(s.one("infusion.setting"), "TRIAL")]


@fault("ELG-08", "error", "DE05", "a minor")
def minor(s: Scene) -> Fields | None:
    """The center reports no year of birth that could contradict."""
    return [s.set(s.one("infusion.age_at_infusion"), 17)]


@fault("ELG-09", "error", "US02", "no line before CAR-T")
def no_prior_line(s: Scene) -> Fields | None:
    """Relapsed myeloma without a prior line."""
    return [s.set(s.one("infusion.prior_lines"), 0)]


@fault("ELG-09", "warning", "DE06", "22 lines before CAR-T")
def many_prior_lines(s: Scene) -> Fields | None:
    """Probably cycles."""
    return [s.set(s.one("infusion.prior_lines"), 22)]


@fault("PRD-01", "error", "DE03", "a dose in another unit")
def dose_in_other_unit(s: Scene) -> Fields | None:
    """Given in 10^7 cells."""
    return _dose(s, 42)


@fault("PRD-01", "warning", "DE01", "a dose outside the label", changes=True)
def dose_outside_label(s: Scene) -> Fields | None:
    """Out of specification, but possible; round two has another dose that is outside as well."""
    return _dose(s, 145 if s.round == 1 else 160)


def _dose(s: Scene, value: int) -> Fields | None:
    if s.patient.product != "IDE":
        return None
    return [s.set(s.one("infusion.dose"), value), s.one("infusion.product")]


@fault("STG-04 LAB-09", "error", "US01", "albumin in g/L in a column of g/dL")
def albumin_unit(s: Scene) -> Fields | None:
    """38 g/dL."""
    return [s.set(s.one("risk.albumin"), Raw(38))]


@fault("STG-05 LAB-09", "error", "DE06", "beta-2 microglobulin in mg/dL")
def microglobulin_unit(s: Scene) -> Fields | None:
    """Ten times too small."""
    return [s.set(s.one("risk.b2m"), 0.35)]


@fault("STG-06", "warning", "DE01", "LDH without the limit of the laboratory", persists=True)
def ldh_without_limit(s: Scene) -> Fields | None:
    """Nobody knows whether it is high."""
    return [s.one("risk.ldh"), s.set(s.one("risk.ldh_uln"), None)]


@fault("STG-11", "error", "DE07", "ECOG 8")
def ecog_out_of_range(s: Scene) -> Fields | None:
    """The scale ends at 5."""
    return [s.set(s.one("infusion.ecog"), 8)]


@fault("LAB-01", "error", "DE01", "M-protein in mg/l in a column of g/l")
def m_protein_unit(s: Scene) -> Fields | None:
    """2850 g/l."""
    rows = s.rows("assessment", "response.m_protein_serum")
    return [s.set((rows[0], "response.m_protein_serum"), 2850.0)] if rows else None


@fault("LAB-02", "error", "DE06", "light chains beyond what is possible")
def light_chain_range(s: Scene) -> Fields | None:
    """45,000 mg/l."""
    return _measured(s, "FLC_KAPPA", "lab.value", 45000.0)


@fault("LAB-03", "error", "US03", "urine protein per liter instead of per day")
def urine_unit(s: Scene) -> Fields | None:
    """Not interchangeable; the fault stands in the unit."""
    place = _measured(s, "M_URINE", "lab.unit", Raw("mg/L"))
    return [(place[0][0], "lab.value"), *place] if place else None


@fault("LAB-05", "error", "US03", "creatinine in umol/L labelled mg/dL")
def creatinine_unit(s: Scene) -> Fields | None:
    """110 mg/dL."""
    return _measured(s, "CREATININE", "lab.value", Raw("110"))


def _measured(s: Scene, test: str, fact: str, value: object) -> Fields | None:
    rows = [r for r in s.rows("measurement", fact) if r.facts["lab.test"] == test]
    return [s.set((rows[0], fact), value)] if rows else None


@fault("LAB-06", "error", "DE01", "hemoglobin in g/l in a column of g/dl")
def hemoglobin_unit(s: Scene) -> Fields | None:
    """132 g/dl."""
    return _sampled(s, "HB", 132)


@fault("LAB-08", "error", "DE01", "240 percent plasma cells")
def marrow_percentage(s: Scene) -> Fields | None:
    """More than all cells."""
    return _sampled(s, "BMPC", 240)


def _sampled(s: Scene, test: str, value: float) -> Fields | None:
    rows = s.rows("sample", f"lab.value#{test}")
    return [s.set((rows[0], f"lab.value#{test}"), value)] if rows else None


@fault("EMD-09", "warning", "US01 DE07", "a lesion in cm in a column of mm", changes=True)
def lesion_in_cm(s: Scene) -> Fields | None:
    """1.8 mm, and 2.1 mm when it is measured again."""
    rows = s.rows("lesion", "lesion.diameter")
    value = 1.8 if s.round == 1 else 2.1
    return [s.set((rows[0], "lesion.diameter"), value)] if rows else None


@fault("TOX-01", "error", "DE03", "grade 7")
def toxicity_grade(s: Scene) -> Fields | None:
    """The scale ends at 5."""
    rows = s.rows("toxicity", "toxicity.grade")
    return [s.set((rows[0], "toxicity.grade"), 7)] if rows else None


@fault("PRI-01", "error", "DE04 DE06 DE03", "refractory to a drug never given")
def refractory_not_exposed(s: Scene) -> Fields | None:
    """Contradiction of two columns."""
    if "pomalidomide" not in s.patient.refractory:
        return None
    exposed = s.set(s.one("exposure.exposed#pomalidomide"), "N")
    return [s.one("exposure.refractory#pomalidomide"), exposed]


@fault("PRI-04", "error", "US01 ES01", "penta-refractory but not triple-class refractory")
def penta_without_triple(s: Scene) -> Fields | None:
    """Penta is contained in triple."""
    if not s.patient.penta:
        return None
    triple = s.set(s.one("exposure.refractory#TRIPLE"), "N")
    return [s.one("exposure.refractory#PENTA"), triple]


@fault(
    "EMD-05",
    "error",
    "US02 DE07",
    "no extramedullary disease, but a lesion in the liver or the like",
)
def emd_type_disagrees(s: Scene) -> Fields | None:
    """Two sources of one fact."""
    rows = s.rows("lesion", "lesion.category")
    if len(rows) != 1 or rows[0].facts["lesion.category"] != "EXTRAOSSEOUS":
        return None
    return [s.set(s.one("relapse.emd_type"), "NONE"), (rows[0], "lesion.category")]
