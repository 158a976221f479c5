"""Which rows a finding holds back, and that every row is accounted for."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from schemas.check import CheckOutcome
from tests.rules.judging import FACTS, judge, rules_found

LATER = {"line_number": 2, "start_date": "2023-08-01", "drugs": "melphalan"}


def held(outcome: CheckOutcome) -> dict[str, list[tuple[str, str, str]]]:
    """Table → patient, reason, outcome of held rows of small tables."""
    found = {}
    for table, frame in outcome.held.items():
        if frame.height:
            told = frame.select("row_id", "patient_id").join(
                outcome.reasons[table], on="row_id", maintain_order="left"
            )
            found[table] = told.select("patient_id", "reason", "outcome").rows()
    return found


def dispositions(outcome: CheckOutcome) -> dict[str, str]:
    return dict(outcome.findings.select("rule_id", "disposition").iter_rows())


def issue(column: str, rule: str = "DAT-01", index: int = 0, **more: Any) -> dict[str, Any]:
    return {"index": index, "column": column, "rule_id": rule, **more}


def test_a_row_rule_holds_its_row_and_leaves_the_others() -> None:
    outcome = judge({"treatment_line": [{"end_date": "2022-01-01"}, LATER]})
    assert rules_found(outcome) == ["DAT-18"]
    assert held(outcome) == {"treatment_line": [("1", "DAT-18", "quarantined")]}
    assert outcome.kept["treatment_line"]["line_number"].to_list() == [2]
    assert outcome.kept["subject"].height == 1


def test_a_patient_rule_takes_all_rows_along_without_further_findings() -> None:
    outcome = judge(
        {
            "subject": [{}, {"patient_id": "2"}],
            "infusion": [{}, {"patient_id": "2"}],
            "relapse": [{"relapse_date": "2022-06-01"}, {"patient_id": "2"}],
            "response": [{}, {"patient_id": "2"}],
        }
    )
    assert rules_found(outcome) == ["DAT-13"]
    assert held(outcome) == {
        table: [("1", "DAT-13", "quarantined")] for table in ("subject", "infusion", "relapse")
    }
    assert outcome.reasons["response"].select("reason", "outcome").rows() == [
        ("DAT-13", "quarantined")
    ]
    assert outcome.kept["relapse"]["patient_id"].to_list() == ["2"]


def test_a_held_subject_row_takes_the_patient_along() -> None:
    outcome = judge(
        {"subject": [{"sex": None}], "relapse": [{}]}, {"subject": [issue("sex", "STR-06")]}
    )
    assert rules_found(outcome) == ["STR-06"]
    assert held(outcome) == {
        "subject": [("1", "STR-06", "quarantined")],
        "relapse": [("1", "STR-06", "quarantined")],
    }


def test_a_warning_holds_nothing() -> None:
    outcome = judge({"follow_up": [{"last_contact_date": "2023-01-01"}]})
    assert rules_found(outcome) == ["DAT-27"]
    assert held(outcome) == {}
    assert dispositions(outcome) == {"DAT-27": "keep_query"}


def test_the_hard_clause_of_a_warning_rule_holds_its_row() -> None:
    outcome = judge({"infusion": [{"prior_lines": 0}]})
    assert dispositions(outcome) == {"ELG-09": "quarantine"}
    assert held(outcome) == {"infusion": [("1", "ELG-09", "quarantined")]}


def test_a_patient_of_another_population_is_excluded_not_quarantined() -> None:
    outcome = judge(
        {"infusion": [{"product": "OTHER"}], "treatment_line": [{"end_date": "2022-01-01"}]}
    )
    assert outcome.screened_out == {"1"}
    assert dispositions(outcome)["ELG-02"] == "screen_out"
    assert held(outcome) == {
        table: [("1", "ELG-02", "excluded")] for table in ("subject", "infusion", "treatment_line")
    }
    told = outcome.ledger.filter(pl.col("outcome") == "excluded")
    assert told["reason"].unique().to_list() == ["ELG-02"]


def test_an_unreadable_optional_column_of_a_patient_keeps_the_patient() -> None:
    outcome = judge({"subject": [{"diagnosis_date": None}]}, {"subject": [issue("diagnosis_date")]})
    assert dispositions(outcome) == {"DAT-01": "keep_query"}
    assert outcome.findings["severity"].to_list() == ["error"]
    assert held(outcome) == {}


def test_an_unreadable_required_column_holds_its_row() -> None:
    outcome = judge({"relapse": [{"relapse_date": None}]}, {"relapse": [issue("relapse_date")]})
    assert rules_found(outcome) == ["DAT-01"]
    assert held(outcome) == {"relapse": [("1", "DAT-01", "quarantined")]}


@pytest.mark.parametrize("column", ["end_date", "stop_reason", "salvage_group", "drug_dose"])
def test_an_unreadable_optional_column_of_a_line_keeps_the_line(column: str) -> None:
    outcome = judge({"treatment_line": [{column: None}]}, {"treatment_line": [issue(column)]})
    assert dispositions(outcome) == {"DAT-01": "keep_query"}
    assert held(outcome) == {}


@pytest.mark.parametrize("column", ["start_date", "drugs", "line_number"])
def test_an_unreadable_start_regimen_or_number_holds_the_line(column: str) -> None:
    outcome = judge({"treatment_line": [{column: None}]}, {"treatment_line": [issue(column)]})
    assert held(outcome) == {"treatment_line": [("1", "DAT-01", "quarantined")]}


def test_an_unreadable_optional_column_of_other_tables_holds_its_row() -> None:
    outcome = judge(
        {"toxicity": [{"kind": "CRS", "grade": 1, "end_date": None}]},
        {"toxicity": [issue("end_date")]},
    )
    assert held(outcome) == {"toxicity": [("1", "DAT-01", "quarantined")]}


def test_a_death_whose_date_cannot_be_read_holds_the_patient_under_one_finding() -> None:
    outcome = judge(
        {"follow_up": [{"vital_status": "DEAD", "death_date": None}]},
        {"follow_up": [issue("death_date")]},
    )
    assert rules_found(outcome) == ["DAT-01"]
    assert dispositions(outcome) == {"DAT-01": "quarantine"}
    assert held(outcome) == {
        "subject": [("1", "DAT-01", "quarantined")],
        "follow_up": [("1", "DAT-01", "quarantined")],
    }


def test_a_warning_of_the_mapping_keeps_the_row_and_its_other_rules() -> None:
    outcome = judge(
        {"subject": [{"birth_year": 1961, "diagnosis_date": "1960-11-01"}]},
        {"subject": [issue("birth_year", "DAT-03", severity="warning")]},
    )
    assert rules_found(outcome) == ["DAT-03", "DAT-07"]


def test_copies_of_a_subject_row_leave_the_first_and_its_patient() -> None:
    outcome = judge({"subject": [{}, {}], "relapse": [{}]})
    assert rules_found(outcome) == ["STR-02"]
    assert held(outcome) == {"subject": [("1", "STR-02", "quarantined")]}
    assert outcome.kept["subject"]["source_row"].to_list() == [2]
    assert outcome.kept["relapse"].height == 1


def test_subject_rows_that_contradict_each_other_hold_the_patient() -> None:
    outcome = judge({"subject": [{}, {"sex": "M"}], "relapse": [{}]})
    assert [row[1] for row in held(outcome)["subject"]] == ["STR-02", "STR-02"]
    assert held(outcome)["relapse"] == [("1", "STR-02", "quarantined")]


def test_an_orphan_with_a_misspelt_id_is_told_of_its_id_only() -> None:
    misspelt = {
        "rule_id": "STR-04", "severity": "warning", "file": "relapse.csv", "row": 2,
        "source_column": "PATIENT_ID", "patient_id": "17.0", "value": "17.0",
    }  # fmt: skip
    outcome = judge(
        {"subject": [{"patient_id": "017"}], "relapse": [{"patient_id": "17.0"}]},
        file_issues=[misspelt],
    )
    assert rules_found(outcome) == ["STR-04"]
    assert dispositions(outcome) == {"STR-04": "quarantine"}
    assert outcome.findings["message"].to_list() == [
        "the patient id does not have the form that the spec declares, and no patient row has it"
    ]
    assert held(outcome) == {"relapse": [("17.0", "STR-04", "quarantined")]}


def test_a_misspelt_id_that_is_a_patient_is_kept_and_asked_about() -> None:
    misspelt = {
        "rule_id": "STR-04", "severity": "warning", "file": "subject.csv", "row": 2,
        "source_column": "PATIENT_ID", "patient_id": "17.0",
    }  # fmt: skip
    outcome = judge({"subject": [{"patient_id": "17.0"}]}, file_issues=[misspelt])
    assert dispositions(outcome) == {"STR-04": "keep_query"}
    assert held(outcome) == {}


def test_patients_of_an_earlier_delivery_are_no_orphans() -> None:
    from dataclasses import replace

    facts = replace(FACTS, known_patients=frozenset({"7"}))
    tables = {
        "relapse": [{"patient_id": "7"}],
        "response": [{"patient_id": "7"}, {"patient_id": "7"}],
    }
    assert rules_found(judge(tables, facts=facts)) == ["STR-10"]
    assert rules_found(judge(tables)) == ["STR-03", "STR-03", "STR-03"]


def test_one_cell_that_feeds_two_tables_is_asked_about_once() -> None:
    outcome = judge(
        {"relapse": [{"patient_id": "9"}], "infusion": [{"patient_id": "9"}]},
    )
    assert outcome.findings.height == 2  # two files, two cells
    same = outcome.finding_fields.select("file", "row", "source_column")
    assert same.n_unique() == 2


def test_every_row_is_in_the_ledger_once() -> None:
    outcome = judge(
        {
            "subject": [{}, {"patient_id": "2"}, {"patient_id": "3"}],
            "infusion": [{}, {"patient_id": "2", "product": "OTHER"}, {"patient_id": "9"}],
            "treatment_line": [
                {"end_date": "2020-01-01"},
                {"patient_id": "3"},
                {"patient_id": "2"},
            ],
            "response": [{}, {}, {"category": "zz"}, {"patient_id": "2"}],
        }
    )
    signed = outcome.ledger.with_columns(
        pl.when(pl.col("outcome") == "in").then("n_rows").otherwise(-pl.col("n_rows"))
    )
    balance = signed.group_by("source_id", "table").agg(pl.col("n_rows").sum())
    assert balance["n_rows"].to_list() == [0] * 4
    totals = outcome.ledger.filter(pl.col("outcome") == "in")
    assert dict(totals.select("table", "n_rows").iter_rows()) == {
        "subject": 3, "infusion": 3, "treatment_line": 3, "response": 4,
    }  # fmt: skip


def test_no_value_and_no_id_is_in_a_message() -> None:
    outcome = judge(
        {
            "subject": [{"patient_id": "SECRET-7", "sex": "geheim"}],
            "infusion": [{"patient_id": "SECRET-7", "dose": 4.2, "product": "IDE"}],
        }
    )
    messages = " ".join(outcome.findings["message"]) + " ".join(
        outcome.check_run["reason"].drop_nulls()
    )
    assert outcome.findings.height == 2
    for word in ("SECRET", "geheim", "4.2"):
        assert word not in messages


@pytest.mark.parametrize(
    ("table", "column"), [("response", "response_date"), ("treatment_line", "start_date")]
)
def test_a_row_held_for_a_date_after_the_export_is_told_once(table: str, column: str) -> None:
    outcome = judge({"follow_up": [{}], table: [{column: "2024-06-20"}]})
    dates = [rule for rule in rules_found(outcome) if rule.startswith("DAT-")]
    assert dates == ["DAT-06"]
    assert outcome.reasons[table]["reason"].to_list() == ["DAT-06"]
    assert outcome.held["follow_up"].height == 0
