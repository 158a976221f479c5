"""Every rule of the pack against cases that break it and cases that do not (case_files.py)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas import check_context, check_many, check_rows, context_rows
from schemas.rules import load_rules
from tests.rules.case_files import cases_of, rules_with_cases
from tests.rules.judging import CATALOG, judge
from tests.rules.study_judging import judge_in_warehouse

RULES = [rule.id for rule in load_rules()]
IN_THE_WAREHOUSE = {r["id"]: r for r in CATALOG.compiled["rules"] if r["engine"] == "study"}
CASES = {rule: cases_of(rule) for rule in rules_with_cases()}
WORDS = {
    "violates", "holds", "severity", "fields", "findings", "issues", "file_issue", "derived", "before",
}  # fmt: skip


def named(case: dict[str, Any]) -> str:
    return f"violates: {case['violates']}" if "violates" in case else f"holds: {case['holds']}"


def outcome_of(case: dict[str, Any], rule: str, folder: Path) -> Any:
    tables = {
        name: rows if isinstance(rows, list) else [rows]
        for name, rows in case.items()
        if name not in WORDS
    }
    assert set(tables) <= set(CATALOG.tables), f"unknown words in a case of {rule}"
    if rule in IN_THE_WAREHOUSE and "file_issue" not in case:
        return judge_in_warehouse(IN_THE_WAREHOUSE[rule], tables, folder, case.get("before"))
    answers = case.get("derived")
    derived = {"derived.salvage_group": lambda frame: pl.Series(answers)} if answers else None
    return judge(
        tables,
        {name: [{"rule_id": rule, **issue} for issue in told] for name, told in case.get("issues", {}).items()},
        file_issues=[{"rule_id": rule, **case["file_issue"]}] if "file_issue" in case else (),
        looked=[rule],
        derived=derived,
    )  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_case_that_breaks_it_and_one_that_does_not(rule: str) -> None:
    cases = CASES.get(rule, [])
    assert any("violates" in case for case in cases), f"{rule}/positive is empty"
    assert any("holds" in case for case in cases), f"{rule}/negative is empty"


def test_there_are_no_cases_of_rules_that_do_not_exist() -> None:
    assert set(CASES) <= set(RULES)


def each_case(rules: Iterable[str]) -> pytest.MarkDecorator:
    told = [(rule, case) for rule in sorted(rules) for case in CASES[rule]]
    return pytest.mark.parametrize(
        ("rule", "case"), told, ids=[f"{rule} {named(case)}" for rule, case in told]
    )


@each_case(CASES.keys() - IN_THE_WAREHOUSE.keys())
def test_a_rule_finds_exactly_its_violations_on_the_way_for_many_rows(
    rule: str, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for module in (check_context, context_rows, check_rows):
        monkeypatch.setattr(module, "FEW", -1)
    for module in (check_context, check_many, check_rows, context_rows):
        monkeypatch.setattr(module, "SMALL", 0)
    test_a_rule_finds_exactly_its_violations(rule, case, tmp_path)


@each_case(CASES)
def test_a_rule_finds_exactly_its_violations(
    rule: str, case: dict[str, Any], tmp_path: Path
) -> None:
    outcome = outcome_of(case, rule, tmp_path)
    found = outcome.findings.filter(pl.col("rule_id") == rule)
    outcomes = set(outcome.check_run.filter(pl.col("rule_id") == rule)["outcome"])
    if "holds" in case:
        assert found.height == 0
        assert "failed" not in outcomes
        return
    assert found.height == case.get("findings", 1)
    assert set(found["severity"]) == {case.get("severity", "error")}
    assert "failed" in outcomes
    if "fields" in case:
        fields = outcome.finding_fields.filter(pl.col("finding_id") == found["finding_id"][0]).sort(
            "position"
        )
        assert [f"{t}.{c}" for t, c in fields.select("table", "column").iter_rows()] == case[
            "fields"
        ]
