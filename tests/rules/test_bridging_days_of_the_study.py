"""Rules on bridges follow the days that the study allows between a bridge and the systemic line."""

from dataclasses import replace

import pytest

from tests.rules.judging import FACTS, judge, rules_found

# Radiotherapy on 2023-02-01, teclistamab 20 days later and its response; nothing after it.
TABLES = {
    "relapse": [{"relapse_date": "2023-01-10"}],
    "treatment_line": [
        {
            "line_number": 1,
            "start_date": "2023-02-01",
            "drugs": "radiotherapy",
            "stop_reason": None,
        },
        {"line_number": 2, "start_date": "2023-02-21", "drugs": "teclistamab", "stop_reason": None},
    ],
    "response": [
        {"line_number": 2, "kind": "BEST", "category": "PR", "response_date": "2023-04-01"}
    ],
    "follow_up": [{"further_therapy": "N", "further_lines": 0}],
}
RULES = {"SAL-05", "SAL-12", "RSP-13", "RSP-14"}


@pytest.mark.parametrize(
    ("days", "asked"),
    [
        # A bridge, which only the rule on bridges asks about.
        (30, {"SAL-05"}),
        (20, {"SAL-05"}),
        # A first salvage of its own: no response, no reason for its end, one further line.
        (19, {"SAL-12", "RSP-13", "RSP-14"}),
        (0, {"SAL-12", "RSP-13", "RSP-14"}),
    ],
)
def test_a_line_is_a_bridge_as_long_as_the_study_says(days, asked):
    outcome = judge(TABLES, facts=replace(FACTS, bridge_days=days), looked=sorted(RULES))
    assert RULES & set(rules_found(outcome)) == asked
