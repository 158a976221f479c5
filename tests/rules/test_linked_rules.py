"""Rules on small tables that look at responses, and rules that look at the row itself, over many rows."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from schemas.check import Checker, CheckOutcome
from schemas.staging import ADDRESS
from tests.rules.judging import CATALOG, FACTS, batch, column_map, judge, sources


def found(outcome: CheckOutcome, rule: str) -> list[str]:
    rows = outcome.findings.filter(pl.col("rule_id") == rule)
    return sorted(rows["patient_id"].to_list())


def told(outcome: CheckOutcome, rule: str) -> list[tuple[Any, ...]]:
    return (
        outcome.check_run.filter(pl.col("rule_id") == rule)
        .select("outcome", "numerator", "denominator", "reason")
        .rows()
    )


def two_lines(patient_id: str) -> list[dict[str, Any]]:
    return [
        {"patient_id": patient_id, "stop_reason": "OTHER"},
        {
            "patient_id": patient_id,
            "line_number": 2,
            "start_date": "2023-08-01",
            "drugs": "melphalan",
        },
    ]


def in_batches(parts: list[list[dict[str, Any]]]) -> CheckOutcome:
    checker = Checker(CATALOG, FACTS)
    checker.add(batch("subject", [{}, {"patient_id": "2"}]))
    checker.add(batch("relapse", [{}, {"patient_id": "2"}]))
    checker.add(batch("treatment_line", two_lines("1") + two_lines("2")))
    first = 2
    for part in parts:
        checker.add(batch("response", part, first_row=first))
        first += len(part)
    return checker.finish(sources(), column_map(), pl.DataFrame(schema=ADDRESS))


PROGRESSION = {"kind": "PROGRESSION", "category": "PD", "response_date": "2023-07-20"}
RESPONSES = [{"category": "PR"}, {**PROGRESSION, "patient_id": "2"}, {"patient_id": "2"}]


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_a_progression_counts_in_whichever_batch_it_comes(cut: int) -> None:
    outcome = in_batches([part for part in (RESPONSES[:cut], RESPONSES[cut:]) if part])

    assert found(outcome, "RSP-14") == ["1"]
    # Two patients have a next line; their second lines have none and are out of scope.
    assert told(outcome, "RSP-14") == [("failed", 1, 2, None)]


def test_without_responses_the_rule_did_not_run() -> None:
    outcome = judge({"relapse": [{}], "treatment_line": two_lines("1")})

    assert told(outcome, "RSP-14") == [("not_run", 0, 0, "table response is not delivered")]


def test_a_delivery_of_many_patients_is_judged_as_one_of_few() -> None:
    ids = [f"{n:03d}" for n in range(600)]
    even = ids[::2]
    outcome = judge(
        {
            "subject": [{"patient_id": i} for i in ids],
            "relapse": [{"patient_id": i} for i in ids],
            "treatment_line": [line for i in ids for line in two_lines(i)],
            "response": [{**PROGRESSION, "patient_id": i} for i in even],
        }
    )

    assert found(outcome, "RSP-14") == ids[1::2]


@pytest.mark.parametrize("n", [600, 20_002])
def test_the_scale_of_each_row_is_its_own(n: int) -> None:
    rows = [{"vasopressors": "ONE", "scale": ("ASTCT2019", "LEE2014")[i % 2]} for i in range(n)]
    outcome = judge({"toxicity": rows})

    findings = outcome.findings.filter(pl.col("rule_id") == "TOX-02")
    assert findings.height == n // 2
    assert set(findings["row_id"] % 2) == {0}  # rows 2, 4, ... hold the first scale


def test_a_finding_on_a_line_names_the_line_and_its_cells() -> None:
    outcome = in_batches([RESPONSES])

    (finding,) = outcome.findings.filter(pl.col("rule_id") == "RSP-14").iter_rows(named=True)
    fields = outcome.finding_fields.filter(pl.col("finding_id") == finding["finding_id"])
    assert fields.select("file", "row", "source_column", "value").rows() == [
        ("treatment_line.csv", 2, "STOP_REASON", "OTHER"),
        ("treatment_line.csv", 3, "START_DATE", "2023-08-01"),
    ]
    assert finding["disposition"] == "keep_query"
