"""Every rule of the catalogue is judged, or the page of rules says why not (catalogue_rules.csv)."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from schemas.rules import RuleError, load_rules, load_undecided
from schemas.rules_docs import page

TABLE = Path(__file__).parent / "catalogue_rules.csv"
# A mark for information is no warning: nothing has to be answered.
MARKS = {"SAL-11"}


def catalogue() -> dict[str, tuple[str, str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["rule_id"]: (row["severity"], row["disposition"], row["scope"])
            for row in csv.DictReader(file)
        }


def test_every_rule_of_the_catalogue_is_judged_or_told_with_a_reason() -> None:
    judged = {rule.id for rule in load_rules()}
    told = {rule.id for rule in load_undecided()}
    assert judged | told == set(catalogue())
    assert not judged & told


def test_severity_disposition_and_scope_are_those_of_the_catalogue() -> None:
    wanted = catalogue()
    differ = {
        rule.id
        for rule in load_rules()
        if (rule.severity, rule.disposition, rule.scope) != wanted[rule.id]
    }
    assert differ == MARKS


def test_the_page_gives_the_reason_of_every_rule_that_is_not_judged() -> None:
    text = page()
    for rule in load_undecided():
        assert f"| {rule.id} {rule.title} | {rule.why} |" in text


def test_a_rule_cannot_be_judged_and_undecided(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "- {id: XXX-01, title: t, sentence: s, severity: error, disposition: quarantine, scope: row, "
        "kahn: conformance, engine: run, query: q}\n",
        encoding="utf-8",
    )
    (tmp_path / "undecided.yaml").write_text("- {id: XXX-01, title: t, why: w}\n", encoding="utf-8")
    with pytest.raises(RuleError, match="XXX-01.*this rule is judged"):
        load_undecided(tmp_path)


def test_an_undecided_rule_without_a_reason_is_named(tmp_path: Path) -> None:
    (tmp_path / "undecided.yaml").write_text("- {id: XXX-02, title: t}\n", encoding="utf-8")
    with pytest.raises(RuleError, match="XXX-02, key 'why': is missing"):
        load_undecided(tmp_path)
