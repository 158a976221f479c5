"""Every rule of the catalogue is judged, or the page of rules says why not (catalogue_rules.csv)."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

from expectations.suite import load_suite
from schemas.rules import RuleError, load_rules
from schemas.rules_apart import load_elsewhere, load_undecided
from schemas.rules_docs import page

TABLE = Path(__file__).parent / "catalogue_rules.csv"
# A mark for information is no warning: nothing has to be answered.
MARKS = {"SAL-11"}
# Rules beside the catalogue: what a delivery changes though nobody asked.
OUR_OWN = "DLV-"


def catalogue() -> dict[str, tuple[str, str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["rule_id"]: (row["severity"], row["disposition"], row["scope"])
            for row in csv.DictReader(file)
        }


def test_every_rule_of_the_catalogue_is_judged_or_told_with_a_reason() -> None:
    judged = {rule.id for rule in load_rules() if not rule.id.startswith(OUR_OWN)}
    elsewhere = {rule.id for rule in load_elsewhere()}
    told = {rule.id for rule in load_undecided()}
    assert judged | elsewhere | told == set(catalogue())
    assert len(judged) + len(elsewhere) + len(told) == len(catalogue())


def test_severity_disposition_and_scope_are_those_of_the_catalogue() -> None:
    wanted = catalogue()
    differ = {
        rule.id
        for rule in load_rules()
        if not rule.id.startswith(OUR_OWN)
        and (rule.severity, rule.disposition, rule.scope) != wanted[rule.id]
    }
    assert differ == MARKS


def test_the_page_gives_the_reason_of_every_rule_that_is_not_judged() -> None:
    text = page()
    for rule in load_undecided():
        assert f"| {rule.id} {rule.title} | {rule.why} |" in text
    for held in load_elsewhere():
        line = rf"\| {held.id} .* \| (the|audit|refusal) .*{re.escape(held.how)} \|"
        assert re.search(line, text)


def test_every_rule_that_is_held_elsewhere_has_a_test_named_after_it() -> None:
    names = {
        node.name
        for path in Path(__file__).parents[1].rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    for rule in load_elsewhere():
        start = f"test_{rule.id.lower().replace('-', '_')}_"
        assert any(name.startswith(start) for name in names), rule.id


def test_every_audit_check_that_a_rule_names_is_in_the_suite() -> None:
    checks = {check.id for check in load_suite().checks}
    for rule in load_elsewhere():
        named = set(re.findall(r"AUD-\d\d", rule.how))
        assert bool(named) == (rule.by == "audit")
        assert named <= checks


def test_a_rule_cannot_be_judged_and_undecided(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "- {id: XXX-01, title: t, sentence: s, severity: error, disposition: quarantine, scope: row, "
        "kahn: conformance, engine: run, query: q}\n",
        encoding="utf-8",
    )
    (tmp_path / "undecided.yaml").write_text("- {id: XXX-01, title: t, why: w}\n", encoding="utf-8")
    with pytest.raises(RuleError, match="XXX-01.*this rule is judged"):
        load_undecided(tmp_path)


def test_a_rule_cannot_be_held_elsewhere_and_undecided(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yaml").write_text(
        "- {id: XXX-03, title: t, by: audit, how: h}\n", encoding="utf-8"
    )
    (tmp_path / "undecided.yaml").write_text("- {id: XXX-03, title: t, why: w}\n", encoding="utf-8")
    with pytest.raises(RuleError, match="XXX-03.*judged elsewhere"):
        load_undecided(tmp_path)


def test_a_place_that_is_not_known_is_named(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yaml").write_text(
        "- {id: XXX-04, title: t, by: luck, how: h}\n", encoding="utf-8"
    )
    with pytest.raises(RuleError, match="XXX-04, key 'by': 'luck' is not one of"):
        load_elsewhere(tmp_path)


def test_an_undecided_rule_without_a_reason_is_named(tmp_path: Path) -> None:
    (tmp_path / "undecided.yaml").write_text("- {id: XXX-02, title: t}\n", encoding="utf-8")
    with pytest.raises(RuleError, match="XXX-02, key 'why': is missing"):
        load_undecided(tmp_path)
