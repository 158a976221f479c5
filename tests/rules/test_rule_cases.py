"""Every rule of the pack against cases that break it and cases that do not (case_files.py)."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from schemas import check_context, check_rows, context_rows
from schemas.rules import load_rules
from tests.rules.case_files import cases_of, rules_with_cases
from tests.rules.judging import CATALOG, judge

RULES = [rule.id for rule in load_rules()]
CASES = {rule: cases_of(rule) for rule in rules_with_cases()}
WORDS = {"violates", "holds", "severity", "fields", "findings", "issues", "file_issue", "derived"}


def named(case: dict[str, Any]) -> str:
    return f"violates: {case['violates']}" if "violates" in case else f"holds: {case['holds']}"


def outcome_of(case: dict[str, Any], rule: str) -> Any:
    tables = {
        name: rows if isinstance(rows, list) else [rows]
        for name, rows in case.items()
        if name not in WORDS
    }
    assert set(tables) <= set(CATALOG.tables), f"unknown words in a case of {rule}"
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


ALL_CASES = pytest.mark.parametrize(
    ("rule", "case"),
    [(rule, case) for rule, cases in sorted(CASES.items()) for case in cases],
    ids=[f"{rule} {named(case)}" for rule, cases in sorted(CASES.items()) for case in cases],
)


@ALL_CASES
def test_a_rule_finds_exactly_its_violations_on_the_way_for_many_rows(
    rule: str, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (check_context, context_rows, check_rows):
        monkeypatch.setattr(module, "FEW", -1)
    for module in (check_context, context_rows):
        monkeypatch.setattr(module, "SMALL", 0)
    test_a_rule_finds_exactly_its_violations(rule, case)


@ALL_CASES
def test_a_rule_finds_exactly_its_violations(rule: str, case: dict[str, Any]) -> None:
    outcome = outcome_of(case, rule)
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
