"""Further clauses of rules, over the laboratory of the day (RSP-06, RSP-07, LAB-02), through the build."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from schemas.spec.study import Study
from warehouse.analysis import derive

SmallStudy = Any  # of conftest.py
DAY, NEXT = dt.date(2023, 7, 1), dt.date(2023, 7, 2)
STUDY = Study(id="MM2024", title="Salvage after CAR-T", data_cut=dt.date(2024, 8, 31))


def dated(column: str, day: dt.date) -> dict[str, Any]:
    return {column: day, f"{column}_precision": "day"}


def measured(patient: str, test: str, value: float | None, **more: Any) -> dict[str, Any]:
    day = more.pop("day", DAY)
    return {"patient_id": patient, "test": test, "value": value, **dated("lab_date", day), **more}


# Patient: reported category on DAY, values of the laboratory, and the rules that are not met.
CASES: dict[str, tuple[str, list[dict[str, Any]], list[str]]] = {
    "immunofixation positive": (
        "CR", [measured("", "IFE", None, result="POSITIVE")], ["RSP-06"],
    ),
    "immunofixation negative": ("CR", [measured("", "IFE", None, result="NEGATIVE")], []),
    "positive on the next day": ("CR", [measured("", "IFE", None, result="POSITIVE", day=NEXT)], []),
    "positive in a partial response": (
        "VGPR", [measured("", "IFE", None, result="POSITIVE")], [],
    ),
    "serum protein": ("CR", [measured("", "M_SERUM", 9.0)], ["RSP-06"]),
    "serum below detection": ("CR", [measured("", "M_SERUM", 0.1, value_comparator="<")], []),
    "urine at the bound": ("CR", [measured("", "M_URINE", 100.0)], ["RSP-06"]),
    "urine below the bound": ("CR", [measured("", "M_URINE", 99.9)], []),
    "marrow and serum": (
        "sCR", [measured("", "BMPC", 12.0), measured("", "M_SERUM", 9.0)], ["RSP-06", "RSP-06"],
    ),
    "marrow below 5 %": ("sCR", [measured("", "BMPC", 4.9)], []),
    "ratio out of range": ("sCR", [measured("", "FLC_RATIO", 3.2)], ["RSP-07"]),
    "ratio at the bound": ("sCR", [measured("", "FLC_RATIO", 1.65)], []),
    "ratio out of range in CR": ("CR", [measured("", "FLC_RATIO", 3.2)], []),
    "chains out of range": (
        "sCR", [measured("", "FLC_KAPPA", 32.0), measured("", "FLC_LAMBDA", 10.0)], ["RSP-07"],
    ),
    "chains measured twice": (
        "sCR",
        [measured("", "FLC_KAPPA", v) for v in (32.0, 9.0)] + [measured("", "FLC_LAMBDA", 10.0)],
        [],
    ),
    "ratio of swapped chains": (
        "PR",
        [measured("", "FLC_KAPPA", 2.1), measured("", "FLC_LAMBDA", 150.0),
         measured("", "FLC_RATIO", 71.0)],
        ["LAB-02"],
    ),
    "ratio within 5 %": (
        "PR",
        [measured("", "FLC_KAPPA", 10.0), measured("", "FLC_LAMBDA", 20.0),
         measured("", "FLC_RATIO", 0.52)],
        [],
    ),
    "ratio beyond 5 %": (
        "PR",
        [measured("", "FLC_KAPPA", 10.0), measured("", "FLC_LAMBDA", 20.0),
         measured("", "FLC_RATIO", 0.53)],
        ["LAB-02"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(
    module_study: Callable[[Path], SmallStudy], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """All cases as patients of one center."""
    small_study = module_study(tmp_path_factory.mktemp("laboratory") / "study")
    small_study.study = STUDY
    subjects, responses, labs = [], [], []
    for name, (category, values, _) in CASES.items():
        subjects.append({"patient_id": name, "country": "DE", "sex": "F", "birth_year": 1956})
        responses.append(
            {
                "patient_id": name, "line_number": 1, "kind": "ASSESSMENT", "category": category,
                **dated("response_date", DAY),
            }
        )  # fmt: skip
        labs += [{**value, "patient_id": name} for value in values]
    tables: dict[str, list[dict[str, Any]]] = {
        "subject": subjects,
        "response": responses,
        "lab": labs,
    }
    empty = ("infusion", "risk", "exposure", "relapse", "lesion", "treatment_line", "follow_up",
             "toxicity")  # fmt: skip
    staged = small_study.stage("AA01", "AA01-1", {**tables, **{name: [] for name in empty}})
    path: Path = small_study.built(small_study.outcome("AA01", "AA01-1", staged), derive=derive)
    return path


def test_values_of_the_laboratory_that_contradict_a_report_are_asked_about(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        found = con.execute(
            "SELECT f.usubjid, f.rule_id, f.severity, f.disposition FROM quality.finding f "
            "WHERE f.rule_id IN ('RSP-06', 'RSP-07', 'LAB-02')"
        ).fetchall()
    ids = pl.read_parquet(warehouse.parents[2] / "vault" / "id_map.parquet", glob=False)
    names = dict(ids.select("usubjid", "patient_id").iter_rows())
    told = {name: sorted(r for u, r, *_ in found if names[u] == name) for name in CASES}
    assert told == {name: rules for name, (_, _, rules) in CASES.items()}
    assert {(severity, what) for *_, severity, what in found} == {("warning", "keep_query")}


def test_both_cells_are_named_and_the_outcome_stands_beside_that_of_the_rows(
    warehouse: Path,
) -> None:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        cells = con.execute(
            'SELECT DISTINCT rule_id, list(x."table" || \'.\' || x."column" ORDER BY position) '
            "FROM quality.finding f JOIN quality.finding_field x USING (delivery_key, finding_id) "
            "WHERE rule_id IN ('RSP-06', 'RSP-07', 'LAB-02') "
            "GROUP BY rule_id, delivery_key, finding_id ORDER BY ALL"
        ).fetchall()
        outcomes = con.execute(
            "SELECT rule_id, outcome, numerator, denominator FROM quality.check_run "
            "WHERE \"table\" = 'lab' AND rule_id IN ('RSP-06', 'RSP-07', 'LAB-02') "
            "AND numerator > 0 ORDER BY ALL"
        ).fetchall()
    assert ("RSP-06", ["response.category", "lab.result"]) in cells
    assert ("RSP-06", ["response.category", "lab.value"]) in cells
    assert ("RSP-07", ["response.category", "lab.value", "lab.value"]) in cells
    assert ("LAB-02", ["lab.value", "lab.value", "lab.value"]) in cells
    assert outcomes == [
        ("LAB-02", "failed", 2, 3),
        ("RSP-06", "failed", 5, 9),
        ("RSP-07", "failed", 2, 3),
    ]
