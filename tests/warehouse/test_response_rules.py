"""Reported responses against measurements (RSP-08, RSP-09), from the build to the center's packet."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from schemas.spec.study import Study
from tests.flows import lenient_runs
from warehouse.analysis import derive
from warehouse.packets import write_packet

SmallStudy = Any  # of conftest.py
STUDY = Study(id="MM2024", title="Salvage after CAR-T", data_cut=dt.date(2024, 8, 31))
LINE, BEFORE, JULY, AUGUST = (
    dt.date(2023, 6, 1), dt.date(2023, 5, 20), dt.date(2023, 7, 1), dt.date(2023, 8, 1),
)  # fmt: skip


@pytest.fixture
def small(small_study: SmallStudy) -> SmallStudy:
    small_study.study = STUDY
    return small_study


def dated(column: str, day: dt.date) -> dict[str, Any]:
    return {column: day, f"{column}_precision": "day"}


def lab(test: str, value: float) -> dict[str, Any]:
    return {"patient_id": "P7", "test": test, "value": value, **dated("lab_date", BEFORE)}


def report(day: dt.date, category: str, serum: float) -> dict[str, Any]:
    measured = {"m_protein_serum": serum, "m_protein_urine": 0.0}
    head = {"patient_id": "P7", "line_number": 1, "kind": "ASSESSMENT", "category": category}
    return {**head, **dated("response_date", day), **measured}


def tables(*reports: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """A patient with 40 g/L before the first salvage, and its reports."""
    one = {"patient_id": "P7"}
    infusion = {
        "infusion_number": 1,
        "product": "IDE",
        **dated("infusion_date", dt.date(2023, 1, 10)),
    }
    relapse = {"relapse_number": 1, **dated("relapse_date", dt.date(2023, 5, 10))}
    line = {"line_number": 1, "drugs": "talquetamab", **dated("start_date", LINE)}
    alive = {"vital_status": "ALIVE", **dated("last_contact_date", dt.date(2024, 2, 1))}
    return {
        "subject": [{**one, "country": "DE", "sex": "F", "birth_year": 1956}],
        "infusion": [{**one, **infusion}],
        "risk": [],
        "exposure": [],
        "relapse": [{**one, **relapse}],
        "lesion": [],
        "treatment_line": [{**one, **line}],
        "follow_up": [{**one, **alive}],
        "response": list(reports),
        "lab": [lab("M_SERUM", 40.0), lab("M_URINE", 0.0)],
        "toxicity": [],
    }  # fmt: skip


WRONG = tables(report(JULY, "VGPR", 39.0), report(AUGUST, "PD", 42.5))
RIGHT = tables(report(JULY, "SD", 39.0), report(AUGUST, "PD", 52.5))


def build(small: SmallStudy, delivery: str, given: dict[str, Any], **changes: Any) -> Path:
    staged = small.stage("AA01", delivery, given)
    return small.built(small.outcome("AA01", delivery, staged, **changes), derive=derive)


def load(small: SmallStudy, delivery: str, given: dict[str, Any], **changes: Any) -> Path:
    staged = small.stage("AA01", delivery, given)
    return small.load(small.outcome("AA01", delivery, staged, **changes), derive=derive)


@pytest.fixture(scope="module")
def asked(
    module_study: Callable[[Path], SmallStudy], tmp_path_factory: pytest.TempPathFactory
) -> tuple[SmallStudy, Path]:
    """A study whose newest load asks about both rules, and its published file; copied, not changed."""
    small = module_study(tmp_path_factory.mktemp("asked") / "study")
    small.study = STUDY
    with pytest.MonkeyPatch.context() as patch:
        lenient_runs.read_here(patch)
        return small, load(small, "AA01-1", WRONG)


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(statement).fetchall()


def packet(small: SmallStudy, language: str | None) -> list[dict[str, str]]:
    staged = small.folder / "vault/staged/AA01/AA01-1"
    summary = json.loads((staged / "summary.json").read_text(encoding="utf-8"))
    (staged / "summary.json").write_text(json.dumps({**summary, "language": language}))
    folder = write_packet(small.folder, "AA01", "AA01-1", staged, received_on=dt.date(2024, 6, 14))
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


OUTCOMES = (
    "select rule_id, c.outcome, numerator, denominator from quality.check_run c "
    "join quality.delivery d using (delivery_key) "
    "where rule_id in ('RSP-08', 'RSP-09') and is_current order by all"
)


def test_the_center_is_told_both_categories_and_the_numbers_in_its_language(
    small: SmallStudy, asked: tuple[SmallStudy, Path]
) -> None:
    before, path = asked
    shutil.copytree(before.folder, small.folder, dirs_exist_ok=True)

    assert rows(path, OUTCOMES) == [("RSP-08", "failed", 1, 1), ("RSP-09", "failed", 1, 1)]
    told = {line["Rule"]: line for line in packet(small, None)}
    assert told["RSP-08"]["Patient"] == told["RSP-09"]["Patient"] == "P7"
    assert told["RSP-08"]["What is wrong"].endswith(
        "VGPR is reported, the measurements of the day give SD; Serum M-protein (g/L): 39.0, "
        "at baseline 40.0, lowest before 40.0, change from baseline -2.5 %"
    )
    assert told["RSP-09"]["What is wrong"].endswith(
        "PD is reported, the measurements of the day give SD; Serum M-protein (g/L): 42.5, "
        "lowest before 39.0, rise 3.5"
    )
    german = {line["Regel"]: line["Was nicht stimmt"] for line in packet(small, "de")}
    assert german["RSP-09"].endswith(
        "ngegeben ist PD, die Messwerte des Tages ergeben SD; M-Protein im Serum (g/L): 42.5, "
        "bisher niedrigster Wert 39.0, Anstieg 3.5"
    )
    spanish = {line["Regla"]: line["Qué no es correcto"] for line in packet(small, "es")}
    assert "las mediciones del día dan SD; Proteína M en suero (g/L): 39.0" in spanish["RSP-08"]


def test_a_delivery_that_corrects_them_closes_both_findings(
    small: SmallStudy, asked: tuple[SmallStudy, Path]
) -> None:
    shutil.copytree(asked[0].folder, small.folder, dirs_exist_ok=True)
    assert rows(asked[1], OUTCOMES) == [("RSP-08", "failed", 1, 1), ("RSP-09", "failed", 1, 1)]
    path = build(small, "AA01-2", RIGHT, sequence=2, received_on=dt.date(2024, 8, 1))

    assert rows(path, OUTCOMES) == [("RSP-08", "passed", 0, 1), ("RSP-09", "passed", 0, 1)]
    assert rows(path, "select * from quality.finding where rule_id like 'RSP%'") == []
    assert not any(line["Rule"].startswith("RSP") for line in packet(small, None))


def test_without_anything_to_hold_against_the_rules_do_not_pass(small: SmallStudy) -> None:
    path = build(small, "AA01-1", tables())

    assert rows(path, OUTCOMES) == [
        ("RSP-08", "not_applicable", 0, 0),
        ("RSP-09", "not_applicable", 0, 0),
    ]


def test_a_center_that_sends_no_measurements_is_not_judged(small: SmallStudy) -> None:
    reports = [{**row, "m_protein_serum": None} for row in WRONG["response"]]
    staged = small.stage("AA01", "AA01-1", {**WRONG, "response": reports, "lab": []})
    mapped = small.folder / staged / "column_map.parquet"
    tests = ["m_protein_serum", "m_protein_urine", "flc_kappa", "flc_lambda", "marrow_plasma_cells",
             "immunofixation", "value"]  # fmt: skip
    kept = ~pl.col("column").is_in(tests)
    pl.read_parquet(mapped, glob=False).filter(kept).write_parquet(mapped)
    path = small.built(small.outcome("AA01", "AA01-1", staged), derive=derive)

    found = rows(path, OUTCOMES)
    assert found == [("RSP-08", "not_run", 0, 0), ("RSP-09", "not_run", 0, 0)]


def test_responses_that_were_not_derived_leave_the_rules_open(small: SmallStudy) -> None:
    staged = small.stage("AA01", "AA01-1", WRONG)
    path = small.built(small.outcome("AA01", "AA01-1", staged))

    assert rows(path, "select count(*) from quality.finding where rule_id like 'RSP%'") == [(0,)]


def test_nothing_published_holds_the_message(asked: tuple[SmallStudy, Path]) -> None:
    _, path = asked
    cells = rows(
        path,
        'select rule_id, x."table", x."column", x.understood from quality.finding f '
        "join quality.finding_field x using (delivery_key, finding_id) where rule_id like 'RSP%' "
        "order by rule_id, x.position",
    )
    assert cells == [
        ("RSP-08", "response", "category", None),
        ("RSP-08", "response", "m_protein_serum", None),
        ("RSP-09", "response", "category", None),
        ("RSP-09", "response", "m_protein_serum", None),
        ("RSP-09", "response", "m_protein_urine", None),
    ]
