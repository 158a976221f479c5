"""DAT-20 holds a response after the next line only where the study does not count it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rules.judging import FACTS, judge

TABLES = {
    "infusion": [{}],
    "treatment_line": [
        {"line_number": 1, "start_date": "2023-02-01"},
        {"line_number": 2, "start_date": "2023-04-01", "drugs": "pomalidomide"},
    ],
    "response": [
        {"line_number": 0, "kind": "BEST", "category": "CR", "response_date": "2023-03-02"},
        {"line_number": 1, "kind": "BEST", "category": "CR", "response_date": "2023-04-02"},
    ],
}


@pytest.mark.parametrize(("counted", "told"), [(False, "error"), (True, "warning")])
def test_a_response_that_the_study_counts_is_kept_and_asked_about(counted: bool, told: str) -> None:
    outcome = judge(TABLES, facts=replace(FACTS, responses_past_next_line=counted))
    found = outcome.findings.filter(rule_id="DAT-20").sort("row_id")
    # The response to CAR-T itself never lasts into the salvage.
    assert found["severity"].to_list() == ["error", told]
