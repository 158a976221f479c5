"""Faults that only a clinical eye sees: approval, dose, stage, risk groups, sites of disease."""

from __future__ import annotations

import datetime as dt

from demo.dates import APPROVED
from demo.faults.scene import Fields, Scene, fault


@fault("ELG-05", "warning", "US03 DE05", "a product before its approval")
def product_before_approval(s: Scene) -> Fields | None:
    """The product is swapped; the dates are right."""
    p = s.patient
    if p.product != "IDE" or p.infusion >= APPROVED["CILTA", p.country] - dt.timedelta(days=31):
        return None
    return [s.one("infusion.infusion_date"), s.set(s.one("infusion.product"), "CILTA")]


@fault(
    "PRD-02", "error", "DE06 DE01 DE03 US02", "cells of ciltacabtagene per kg times weight twice"
)
def cilta_dose(s: Scene) -> Fields | None:
    """180 million cells; the label allows 100."""
    if s.patient.product != "CILTA":
        return None
    return [s.set(s.one("infusion.dose"), 180), s.one("infusion.product")]


@fault("PRI-09", "warning", "US03 DE04", "not known whether lenalidomide-refractory")
def lenalidomide_unknown(s: Scene) -> Fields | None:
    """MyCARe cannot be computed."""
    return [s.set(s.one("exposure.refractory#lenalidomide"), "U")]


@fault("STG-01", "warning", "DE06", "ISS I with raised beta-2 microglobulin")
def iss_disagrees(s: Scene) -> Fields | None:
    """R-ISS II is possible with either stage."""
    p = s.patient
    if p.r_iss != "II" or p.iss != "II" or s.one("risk.iss")[0].facts["risk.iss"] is None:
        return None
    return [s.set(s.one("risk.iss"), "I"), s.one("risk.b2m"), s.one("risk.albumin")]


@fault("STG-02", "error", "US01", "R-ISS I with del(17p)")
def r_iss_impossible(s: Scene) -> Fields | None:
    """High-risk cytogenetics makes it at least II."""
    if s.patient.r_iss != "I":
        return None
    changed = s.set(s.one("risk.del_17p"), "Y")
    return [s.one("risk.r_iss"), changed, s.one("risk.t_4_14"), s.one("risk.t_14_16")]


@fault("STG-09", "warning", "CH01 US02", "MyCARe high with normal ferritin")
def mycare_disagrees(s: Scene) -> Fields | None:
    """All four points are needed for the high group."""
    if s.patient.mycare != "HIGH":
        return None
    low = s.set(s.one("risk.ferritin"), 60)
    return [s.one("risk.mycare"), low, s.one("risk.ferritin_uln")]


@fault("EMD-01", "error", "US01 CH01", "a para-osseous lesion called extramedullary")
def paraosseous_called_extramedullary(s: Scene) -> Fields | None:
    """The only lesion has contact to bone."""
    rows = s.rows("lesion", "lesion.category")
    if not s.patient.emd or len(rows) != 1:
        return None
    return [s.one("relapse.emd"), s.set((rows[0], "lesion.category"), "PARAOSSEOUS")]
