"""STG-01, STG-02 and STG-09 against every row of the truth tables of ISS, R-ISS and MyCARe.

A reported stage that the row does not leave open is contradicted; one of several that it leaves open
is possible.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import polars as pl

from tests.rules.judging import judge

TABLES = Path(__file__).parents[1] / "derive"
STAGES = ("I", "II", "III")
GROUPS = ("LOW", "INTERMEDIATE", "HIGH")
B2M = {"<3.5": 3.4, "3.5-5.49": 3.5, ">=5.5": 5.5, "?": None}
ALBUMIN = {">=3.5": 35.0, "<3.5": 34.9, "?": None}
LDH = {"NORMAL": 250.0, "HIGH": 250.1, "?": None}
FERRITIN = {"N": 300.0, "Y": 300.1, "?": None}
FISH = {"N": ("N", "N", "N"), "Y": ("N", "Y", "N"), "?": ("U", "U", "U")}


def rows_of(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def left_open(text: str) -> set[str]:
    """'II' or 'UNK(I/II)' as a set."""
    return set(text.removeprefix("UNK(").removesuffix(")").split("/"))


def findings(tables: dict[str, list[dict[str, Any]]], rule: str) -> dict[str, str]:
    """Patient → severity of the rule's finding."""
    n = max(int(row["patient_id"]) for row in tables["risk"])
    outcome = judge({"subject": [{"patient_id": str(i)} for i in range(n + 1)], **tables})
    found = outcome.findings.filter(pl.col("rule_id") == rule)
    assert found["patient_id"].is_unique().all()
    return dict(found.select("patient_id", "severity").iter_rows())


def stages() -> list[tuple[dict[str, str], str, dict[str, Any]]]:
    """Row of the table, reported stage, row of `risk`: the components without the stages."""
    made = []
    for row in rows_of("riss_truth_table.csv"):
        fish = FISH[row["high_risk_fish"]]
        for stage in STAGES:
            risk = {
                "patient_id": str(len(made)),
                "b2m": B2M[row["b2m_mg_L"]],
                "albumin": ALBUMIN[row["albumin_g_dL"]],
                "ldh": LDH[row["ldh_vs_uln"]],
                "ldh_uln": 250.0,
                **dict(zip(("del_17p", "t_4_14", "t_14_16"), fish, strict=True)),
            }
            made.append((row, stage, risk))
    return made


def test_every_iss_that_its_row_does_not_leave_open_is_asked_about() -> None:
    cases = stages()
    found = findings({"risk": [{**risk, "iss": stage} for _, stage, risk in cases]}, "STG-01")
    wanted = {
        risk["patient_id"]: "warning"
        for row, stage, risk in cases
        if stage not in left_open(row["ISS"])
    }
    assert found == wanted
    assert len(cases) == 108 * 3


def test_every_r_iss_is_contradicted_asked_about_or_right_as_its_row_says() -> None:
    cases = stages()
    reported = [{**risk, "iss": None, "r_iss": stage} for _, stage, risk in cases]
    wanted = {}
    for row, stage, risk in cases:
        possible = left_open(row["R_ISS"])
        if stage not in possible:
            wanted[risk["patient_id"]] = "error"
        elif len(possible) > 1:
            wanted[risk["patient_id"]] = "warning"
    assert findings({"risk": reported}, "STG-02") == wanted


def test_every_mycare_group_that_its_row_does_not_leave_open_is_asked_about() -> None:
    risk: list[dict[str, Any]] = []
    exposure: list[dict[str, Any]] = []
    wanted = {}
    for row in rows_of("mycare_truth_table.csv"):
        fish = FISH[row["high_risk_cyto"]]
        emd = {"?": None}.get(row["emd_or_pcl_before_cart"], row["emd_or_pcl_before_cart"])
        refractory = {"?": "U"}.get(row["len_refractory"], row["len_refractory"])
        for group in GROUPS:
            patient = {"patient_id": str(len(risk))}
            risk.append(
                {
                    **patient,
                    "mycare": group,
                    "emd_before_car_t": emd,
                    "plasma_cell_leukemia": "N" if emd else None,
                    "ferritin": FERRITIN[row["ferritin_raised_at_ld"]],
                    "ferritin_uln": 300.0,
                    **dict(zip(("del_17p", "t_4_14", "t_14_16"), fish, strict=True)),
                }
            )
            exposure.append({**patient, "drug": "lenalidomide", "refractory": refractory})
            if group not in left_open(row["category"]):
                wanted[patient["patient_id"]] = "warning"
    assert findings({"risk": risk, "exposure": exposure}, "STG-09") == wanted
    assert len(risk) == 81 * 3
