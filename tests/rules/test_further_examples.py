"""Further violations of rules, and near misses that must not be asked about; worked out by hand.

`further_examples.jsonl` has one case a line: the rule, the severities of what it finds, the tables. What a row
does not tell is as in `judging.USUAL`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.rules import load_contexts
from tests.rules.judging import judge
from transforms.derive.salvage_group import load_drugs

LINES = (Path(__file__).parent / "further_examples.jsonl").read_text(encoding="utf-8").splitlines()
CASES: list[dict[str, Any]] = [json.loads(line) for line in LINES]


def told(case: dict[str, Any]) -> str:
    what = "breaks" if case["found"] else "holds"
    return f"{case['rule']} {what}: {json.dumps(case['tables'])[:100]}"


@pytest.mark.parametrize("case", CASES, ids=[told(case) for case in CASES])
def test_a_rule_finds_this_and_no_more(case: dict[str, Any]) -> None:
    findings = judge(case["tables"]).findings.filter(pl.col("rule_id") == case["rule"])
    assert sorted(findings["severity"]) == case["found"]


def test_rules_with_a_violation_have_a_near_miss_too() -> None:
    broken = {case["rule"] for case in CASES if case["found"]}
    held = {case["rule"] for case in CASES if not case["found"]}
    assert len(broken & held) >= 40


@pytest.mark.parametrize("context", ["first_agent", "next_line"])
def test_rules_know_all_drugs_that_are_supportive_care_alone(context: str) -> None:
    named = load_contexts()[context].where or ""
    known = load_drugs()
    supportive = {drug for drug in known if known[drug].effect == "NONE"}
    assert set(re.findall(r"[a-z0-9_]{3,}", named.split("'^((")[1].split(")(")[0])) == supportive
