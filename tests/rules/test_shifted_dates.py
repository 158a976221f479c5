"""Dates that a center shifted on purpose are compared with each other, not with the calendar (DAT-32)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.check import CheckOutcome
from schemas.delivery import read_delivery
from schemas.rules import load_rules
from schemas.spec import load_spec, load_study
from tests.rules.judging import FACTS, judge
from transforms.stage import process_center

CALENDAR = {rule.id for rule in load_rules() if rule.calendar}
SHIFTED = "the center shifted its dates on purpose: days of the calendar say nothing"
# An infusion before the approval, a line before that of teclistamab, a contact after the export.
TABLES: dict[str, list[dict[str, Any]]] = {
    "infusion": [{"infusion_date": "2020-03-01"}],
    "relapse": [{"relapse_date": "2020-02-01"}],
    "treatment_line": [{"start_date": "2020-09-01"}],
    "follow_up": [{"last_contact_date": "2024-06-15"}],
}


def outcomes(outcome: CheckOutcome, rule: str) -> set[tuple[str, str | None]]:
    run = outcome.check_run.filter(pl.col("rule_id") == rule)
    return set(run.select("outcome", "reason").iter_rows())


def test_the_rules_on_the_calendar_are_those_that_name_a_day_or_the_export() -> None:
    named = {
        rule.id
        for rule in load_rules()
        for check in rule.checks
        for clause in check.clauses
        # A check may say so itself, where the rest of its rule says something of shifted dates too.
        if "NOT delivery.dates_shifted" not in (check.applies or "")
        and re.search(r"\bDATE '|delivery\.(export_date|data_cut)", clause.fails)
    }
    assert named | {"DAT-31"} == CALENDAR  # the first of a month is no round day once it is moved
    assert {"ELG-05", "ELG-06", "DAT-06", "DAT-32"} <= CALENDAR


@pytest.mark.parametrize("rule", ["DAT-06", "DAT-32", "ELG-05", "ELG-06"])
def test_a_calendar_rule_that_fails_is_not_applicable_where_dates_are_shifted(rule: str) -> None:
    plain = judge(TABLES)
    assert rule in plain.findings["rule_id"].to_list()
    shifted = judge(TABLES, facts=replace(FACTS, dates_shifted=True))
    assert rule not in shifted.findings["rule_id"].to_list()
    told = outcomes(shifted, rule)
    assert ("not_applicable", SHIFTED) in told
    assert {outcome for outcome, _ in told} <= {"not_applicable", "not_run"}


def test_intervals_are_judged_although_dates_are_shifted() -> None:
    shifted = judge(TABLES, facts=replace(FACTS, dates_shifted=True))
    assert shifted.findings.filter(rule_id="DAT-13").height == 1  # relapse before the infusion
    assert shifted.findings.filter(rule_id="DAT-13")["severity"].to_list() == ["error"]


def test_a_table_that_is_not_there_stays_not_run() -> None:
    shifted = judge({}, facts=replace(FACTS, dates_shifted=True))
    assert outcomes(shifted, "ELG-06") == {("not_run", "table treatment_line is not delivered")}


SPEC = """\
center: {{id: XX01, name: Test center, country: US}}
dates: {{order: ymd{shifted}}}
sources: {{p: {{file: p.csv, patient_id: ID}}}}
tables:
  - {{table: subject, from: p, columns: {{sex: Sex}}}}
  - table: infusion
    from: p
    columns: {{infusion_number: {{constant: 1}}, product: Product, infusion_date: Day}}
"""


@pytest.mark.parametrize(("shifted", "found"), [("", ["DAT-06", "ELG-05"]), (", shifted: yes", [])])
def test_a_delivery_whose_spec_declares_the_shift_is_staged_without_these_findings(
    tmp_path: Path, shifted: str, found: list[str]
) -> None:
    (tmp_path / "in").mkdir()
    rows = "1,F,IDE,2019-05-04\n2,M,CILTA,2025-01-01\n"
    (tmp_path / "in" / "p.csv").write_text(f"ID,Sex,Product,Day\n{rows}", encoding="utf-8")
    (tmp_path / "XX01.yaml").write_text(SPEC.format(shifted=shifted), encoding="utf-8")
    (tmp_path / "study.yaml").write_text(
        "id: SMALL\ntitle: Small\ndata_cut: 2024-06-30\n", encoding="utf-8"
    )
    delivery = read_delivery("XX01", tmp_path / "in", dt.date(2024, 6, 14))
    spec = load_spec(tmp_path / "XX01.yaml")
    summary = process_center(spec, delivery, tmp_path / "staged", load_study(tmp_path))

    findings = pl.read_parquet(tmp_path / "staged" / "finding.parquet")
    assert sorted(set(findings["rule_id"]) & CALENDAR) == found
    run = pl.read_parquet(tmp_path / "staged" / "check_run.parquet").filter(
        rule_id="ELG-05", table="infusion"
    )
    wanted = [("not_applicable", 0)] if shifted else [("failed", 1)]
    assert run.select("outcome", "numerator").rows() == wanted
    assert any("shifted on purpose" in note for note in summary["notes"]) == bool(shifted)
