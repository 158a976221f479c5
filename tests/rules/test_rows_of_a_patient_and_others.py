"""A rule on responses may look at all responses of the patient and at other tables at once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from schemas import check_context, check_many, check_rows, context_rows
from schemas.catalog import Catalog, load_catalog, read_codelists, tables_of
from schemas.compile import check_entry, context_entries, describe, rule_entry
from schemas.models import compiled_expression
from schemas.rule_checks import expand
from schemas.rules import FOLDER, load_contexts, load_rules
from schemas.tables import ALL
from tests.rules import judging

CONTEXT = """
told_of_patient: {table: response, where: category = 'PD', aggregate: {n: COUNT(line_number), last: MAX(response_date)}}
"""
RULE = """
- id: RSP-99
  title: An invented rule
  sentence: No best response of a patient with a progression more than 35 days after the relapse.
  severity: warning
  disposition: keep_query
  scope: row
  kahn: plausibility
  query: Which is wrong?
  source: invented
  checks:
    - table: response
      fields: [response_date, relapse.relapse_date]
      applies: kind = 'BEST' AND lines.n > 0 AND subject.sex = 'F'
      fails: told_of_patient.n > 0 AND told_of_patient.last - relapse.relapse_date > INTERVAL '35 days'
"""


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The catalog with the invented rule among the others."""
    folder = tmp_path_factory.mktemp("rules")
    for path in FOLDER.glob("*.yaml"):
        shutil.copyfile(path, folder / path.name)
    with (folder / "contexts.yaml").open("a", encoding="utf-8") as contexts:
        contexts.write(CONTEXT)
    (folder / "invented.yaml").write_text(RULE, encoding="utf-8")
    rules, contexts_, codelists = load_rules(folder), load_contexts(folder), read_codelists()
    tables = tables_of([describe(table) for table in ALL], codelists)
    checks = expand(rules, tables, contexts_, codelists)
    compiled: Any = {
        "rules": [rule_entry(rule, checks) for rule in rules],
        "contexts": context_entries(contexts_),
        "checks": [check_entry(check, compiled_expression(check)) for check in checks],
    }
    return replace(
        load_catalog(), compiled=json.loads(json.dumps(compiled)), fingerprint="invented"
    )


@pytest.mark.parametrize("many", [False, True], ids=["few rows", "many rows"])
@pytest.mark.parametrize(
    ("told", "sex", "found"), [("2023-02-20", "F", 1), ("2023-02-05", "F", 0), ("2023-02-20", "M", 0)]
)  # fmt: skip
def test_a_rule_on_all_responses_of_a_patient_reads_other_tables_too(
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    many: bool,
    told: str,
    sex: str,
    found: int,
) -> None:
    monkeypatch.setattr(judging, "CATALOG", catalog)
    if many:
        for module in (check_context, context_rows, check_rows):
            monkeypatch.setattr(module, "FEW", -1)
        for module in (check_context, check_many, check_rows, context_rows):
            monkeypatch.setattr(module, "SMALL", 0)
    outcome = judging.judge(
        {
            "subject": [{"patient_id": "9"}, {"sex": sex}],
            "infusion": [{}],
            "relapse": [{}],
            "treatment_line": [{}],
            "response": [
                {"kind": "BEST", "category": "PR"},
                {"kind": "PROGRESSION", "category": "PD", "response_date": told},
            ],
        },
        facts=replace(judging.FACTS, known_patients=frozenset({"1", "77"})),
    )
    findings = outcome.findings.filter(pl.col("rule_id") == "RSP-99")
    assert findings["patient_id"].to_list() == ["1"] * found
    assert outcome.check_run.filter(pl.col("rule_id") == "RSP-99")["outcome"].to_list() == [
        "failed" if found else ("passed" if sex == "F" else "not_applicable")
    ]
