"""Every rule that a parser or the mapping can give is in the rule pack; one that is not is told."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from schemas.rules import load_rules
from tests.rules.judging import judge

ROOT = Path(__file__).parents[2]
RULE = re.compile(r"[A-Z]{3}-\d{2}\Z")
VOCABULARIES = ROOT / "schemas" / "vocabularies"


def in_code(folder: Path) -> Iterator[str]:
    """Rule ids that stand in the code as texts."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and RULE.match(text):
                yield text


def in_vocabularies() -> Iterator[str]:
    """Rule ids that a vocabulary gives to a word or a quantity."""
    for path in sorted(VOCABULARIES.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found = row.get("rule_id") or row.get("rule") or ""
                if found:
                    yield found


def test_the_parsers_give_rules_of_the_pack_only() -> None:
    parsers = {*in_code(ROOT / "transforms" / "harmonize" / "values"), *in_vocabularies()}
    assert parsers == {
        "DAT-01", "DAT-02", "DAT-03", "DAT-04", "DAT-05", "EMD-09", "LAB-01", "LAB-02", "LAB-03",
        "LAB-05", "LAB-06", "LAB-08", "PRD-01", "PRD-02", "PRD-04", "RSP-01", "SAL-01", "SAL-08", "STG-04", "STG-05",
        "STG-06", "STR-06", "SUR-01",
    }  # fmt: skip
    assert parsers <= {rule.id for rule in load_rules()}


def test_mapping_and_runs_give_rules_of_the_pack_only() -> None:
    given = {rule for package in ("transforms", "flows") for rule in in_code(ROOT / package)}
    assert {"STR-01", "STR-04", "STR-07", "STR-09", "STR-11", "STR-12", "PRV-01"} <= given
    assert given <= {rule.id for rule in load_rules()}


def test_a_rule_that_is_not_in_the_pack_is_a_finding_and_failed() -> None:
    outcome = judge(
        {"treatment_line": [{}], "lab": [{}]},
        {
            "treatment_line": [{"index": 0, "column": "drugs", "rule_id": "SAL-09", "severity": "warning"}],
            "lab": [{"index": 0, "column": "value", "rule_id": "LAB-99"}],
        },
        file_issues=[{"rule_id": "STR-99", "severity": "error", "file": "x.csv", "note": "odd"}],
    )  # fmt: skip
    unknown = ["LAB-99", "SAL-09", "STR-99"]
    told = outcome.findings.filter(pl.col("rule_id").is_in(unknown)).sort("rule_id")
    assert told.select("rule_id", "severity", "disposition", "message").rows() == [
        ("LAB-99", "error", "quarantine", "what was expected"),
        ("SAL-09", "warning", "keep_query", "what was expected"),
        ("STR-99", "error", "quarantine", "odd"),
    ]
    run = outcome.check_run.filter(pl.col("rule_id").is_in(unknown)).sort("rule_id")
    assert run.select("rule_id", "outcome", "numerator", "reason").rows() == [
        (rule, "failed", 1, "the rule is not in the rule pack") for rule in unknown
    ]
    assert outcome.reasons["lab"]["reason"].to_list() == ["LAB-99"]
