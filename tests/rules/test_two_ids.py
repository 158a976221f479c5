"""DUP-01 holds two ids of one patient also where another patient stands between them, who is kept."""

from __future__ import annotations

import pytest

from schemas import check_context, check_many, check_rows, context_rows
from tests.rules.judging import judge

ONE = {"birth_year": 1960, "diagnosis_date": "2018-03-05"}
TABLES = {
    "subject": [
        {"patient_id": "1", **ONE},
        {"patient_id": "2", **ONE, "diagnosis_date": "2011-07-01"},
        {"patient_id": "3", **ONE, "diagnosis_date": "2018-03"},
    ],
    "infusion": [
        {"patient_id": "1", "infusion_date": "2022-06-20"},
        {"patient_id": "2", "infusion_date": "2022-06-21"},
        {"patient_id": "3", "infusion_date": "2022-06-22"},
    ],
}


@pytest.mark.parametrize("many", [False, True])
def test_the_two_are_held_and_the_one_between_is_kept_and_asked_about(
    many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if many:
        for module in (check_context, context_rows, check_rows):
            monkeypatch.setattr(module, "FEW", -1)
        for module in (check_context, check_many, check_rows, context_rows):
            monkeypatch.setattr(module, "SMALL", 0)
    outcome = judge(TABLES)
    assert outcome.kept["subject"]["patient_id"].to_list() == ["2"]
    assert sorted(outcome.held["infusion"]["patient_id"]) == ["1", "3"]
    found = outcome.findings.filter(rule_id="DUP-01").sort("severity", "patient_id")
    assert found.select("severity", "patient_id").rows() == [
        ("error", "1"), ("error", "3"), ("warning", "1"), ("warning", "2"), ("warning", "2"), ("warning", "3"),
    ]  # fmt: skip
