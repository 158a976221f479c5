"""The outcome of every rule: never green because nobody looked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from schemas.catalog import Catalog
from schemas.check import Checker, CheckOutcome
from schemas.rules import load_rules
from schemas.staging import ADDRESS
from tests.rules.judging import CATALOG, FACTS, batch, column_map, judge, sources


def told(outcome: CheckOutcome, rule: str, table: str | None) -> tuple[Any, ...]:
    """outcome, numerator, denominator, reason."""
    same = pl.col("table").is_null() if table is None else pl.col("table") == table
    (row,) = outcome.check_run.filter((pl.col("rule_id") == rule) & same).select(
        "outcome", "numerator", "denominator", "reason"
    ).rows()  # fmt: skip
    return row


def test_every_rule_of_the_pack_has_a_row() -> None:
    run = judge({"lab": [{}]}).check_run
    assert set(run["rule_id"]) == {rule.id for rule in load_rules()}
    assert run.select("rule_id", "table").is_duplicated().sum() == 0


def test_passed_counts_the_rows_that_could_be_judged() -> None:
    outcome = judge(
        {
            "treatment_line": [
                {"end_date": "2023-03-01"},
                {"line_number": 2, "start_date": "2023-08-01", "drugs": "melphalan"},
            ]
        }
    )
    assert told(outcome, "DAT-18", "treatment_line") == ("passed", 0, 1, None)


def test_failed_counts_the_rows_that_fail() -> None:
    outcome = judge({"lab": [{"value": 40.0}, {"value": 50.0}, {"value": 10.0}, {"test": "CRP"}]})
    assert told(outcome, "LAB-06", "lab") == ("failed", 2, 3, None)


def test_a_rule_with_no_row_in_its_scope_is_not_applicable() -> None:
    assert told(judge({"lab": [{}]}), "STG-04", "lab") == ("not_applicable", 0, 0, None)


def test_a_rule_whose_table_is_missing_did_not_run() -> None:
    outcome = judge({"lab": [{}]})
    assert told(outcome, "DAT-18", "treatment_line") == (
        "not_run", 0, 0, "table treatment_line is not delivered",
    )  # fmt: skip
    assert told(outcome, "DAT-24", "lab") == (
        "not_run", 0, 0, "table follow_up is not delivered",
    )  # fmt: skip


def test_a_rule_whose_column_is_missing_did_not_run() -> None:
    outcome = judge({"treatment_line": [{}]})
    assert told(outcome, "DAT-18", "treatment_line") == (
        "not_run", 0, 0, "column treatment_line.end_date is not delivered",
    )  # fmt: skip


def test_a_required_column_that_is_not_delivered_is_no_finding_per_row() -> None:
    checker = Checker(CATALOG, FACTS)
    checker.add(batch("subject", [{}]))
    checker.add(batch("treatment_line", [{"drugs": None}], unmapped=["drugs"]))
    outcome = checker.finish(sources(), column_map(), pl.DataFrame(schema=ADDRESS))
    assert outcome.findings.is_empty()
    assert (
        "column treatment_line.drugs is not delivered"
        in told(outcome, "STR-06", "treatment_line")[3]
    )


def test_a_constant_of_the_spec_counts_as_delivered() -> None:
    checker = Checker(CATALOG, FACTS)
    checker.add(batch("subject", [{}]))
    checker.add(batch("lab", [{"test": "HB", "value": 40.0}], unmapped=["test"]))
    outcome = checker.finish(sources(), column_map(), pl.DataFrame(schema=ADDRESS))
    assert told(outcome, "LAB-06", "lab")[0] == "failed"


def test_without_an_export_date_nothing_is_after_the_export() -> None:
    outcome = judge({"lab": [{}]}, facts=replace(FACTS, export_date=None))
    assert told(outcome, "DAT-06", "lab") == (
        "not_run", 0, 0, "delivery.export_date is not known",
    )  # fmt: skip


def test_a_rule_of_another_stage_passes_only_if_that_stage_looked() -> None:
    assert told(judge({}, looked=["DAT-01"]), "DAT-01", None)[0] == "passed"
    assert told(judge({}), "DAT-01", None)[0] == "not_run"


def test_a_column_computed_by_the_caller_is_missing_without_it() -> None:
    outcome = judge({"treatment_line": [{"salvage_group": "TEC"}]})
    assert told(outcome, "SAL-02", "treatment_line") == (
        "not_run", 0, 0, "derived.salvage_group is not computed by the caller",
    )  # fmt: skip


def test_a_rule_on_last_contact_counts_living_patients() -> None:
    outcome = judge(
        {
            "subject": [{}, {"patient_id": "2"}, {"patient_id": "3"}],
            "follow_up": [
                {"last_contact_date": "2023-01-01"},
                {"patient_id": "2"},
                {"patient_id": "3", "vital_status": "DEAD", "death_date": "2023-09-01"},
            ],
            "lab": [{"lab_date": "2023-02-01"}, {"lab_date": "2023-03-01"}],
        }
    )
    assert told(outcome, "DAT-26", "follow_up")[:3] == ("failed", 1, 2)


def test_a_rule_that_cannot_be_evaluated_is_an_error_and_the_others_run() -> None:
    broken = pl.col("value").str.to_date("%Y").is_null().meta.serialize(format="json")
    checks = [
        {**check, "expr": broken} if (check["rule"], check["table"]) == ("LAB-05", "lab") else check
        for check in CATALOG.compiled["checks"]
    ]
    catalog = Catalog(
        CATALOG.tables,
        CATALOG.codelists,
        {**CATALOG.compiled, "checks": checks},
        "broken on purpose",
    )
    checker = Checker(catalog, FACTS)
    checker.add(batch("subject", [{}]))
    checker.add(batch("lab", [{"value": 40.0}]))
    outcome = checker.finish(sources(), column_map(), pl.DataFrame(schema=ADDRESS))
    result, _, _, reason = told(outcome, "LAB-05", "lab")
    assert result == "error"
    assert "could not be evaluated" in reason
    assert outcome.findings["rule_id"].to_list() == ["LAB-06"]


def test_a_finding_of_a_rule_that_is_not_in_the_pack_is_not_lost() -> None:
    outcome = judge({"lab": [{}]}, {"lab": [{"index": 0, "column": "value", "rule_id": "NEW-01"}]})
    assert outcome.findings["rule_id"].to_list() == ["NEW-01"]
    row = outcome.check_run.filter(pl.col("rule_id") == "NEW-01")
    assert row.select("outcome", "reason").rows() == [
        ("failed", "the rule is not in the rule pack")
    ]


def test_a_rule_on_checkboxes_of_which_none_is_declared_is_not_applicable() -> None:
    outcome = judge({"lab": [{}]}, looked=["STR-01"])
    reason = "the center's spec declares no group of checkboxes"
    assert told(outcome, "STR-09", None) == ("not_applicable", 0, None, reason)
    assert told(judge({"lab": [{}]}, looked=["STR-09"]), "STR-09", None)[0] == "passed"
    assert told(judge({"lab": [{}]}), "STR-09", None)[0] == "not_run"


def test_a_question_on_partial_dates_runs_without_the_column_of_another_clause() -> None:
    lines = [{"start_date": "2023-04"}, {"line_number": 2, "start_date": "2023-04"}]
    outcome = judge({"treatment_line": lines})
    assert told(outcome, "DAT-19", "treatment_line")[:3] == ("failed", 1, 1)
