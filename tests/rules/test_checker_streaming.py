"""Assessments and labs come in batches: the cuts between batches change nothing."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.check import Checker, CheckOutcome
from schemas.staging import ADDRESS
from tests.rules.judging import CATALOG, FACTS, batch, column_map, judge, sources

SMALL: dict[str, list[dict[str, Any]]] = {
    "subject": [{}, {"patient_id": "2"}, {"patient_id": "3"}],
    "infusion": [{}, {"patient_id": "2", "product": "OTHER"}, {"patient_id": "3"}],
    "treatment_line": [{}, {"patient_id": "2"}, {"patient_id": "3"}],
    "follow_up": [
        {"vital_status": "DEAD", "death_date": "2023-05-10"},
        {"patient_id": "2"},
        {"patient_id": "3", "last_contact_date": "2023-04"},
    ],
}


def in_batches(
    rows: list[dict[str, Any]], cuts: list[int]
) -> tuple[CheckOutcome, dict[str, set[int]]]:
    """The outcome when the rows come cut at these places; kept and held row ids in the end."""
    checker = Checker(CATALOG, FACTS)
    for table, small in SMALL.items():
        checker.add(batch(table, small))
    kept: set[int] = set()
    held: set[int] = set()
    edges = sorted({0, len(rows), *cuts})
    for start, stop in zip(edges, edges[1:], strict=False):
        verdict = checker.add(batch("response", rows[start:stop], first_row=2 + start))
        assert verdict is not None
        assert verdict.reasons["row_id"].to_list() == verdict.held["row_id"].to_list()
        kept.update(verdict.kept["row_id"])
        held.update(verdict.held["row_id"])
    outcome = checker.finish(sources(), column_map(), pl.DataFrame(schema=ADDRESS))
    late = set(outcome.late["response"]["row_id"]) if "response" in outcome.late else set()
    assert late <= kept
    return outcome, {"kept": kept - late, "held": held | late}


ASSESSMENTS = st.fixed_dictionaries(
    {
        "patient_id": st.sampled_from(["1", "1", "3", "2", "9", None]),
        "line_number": st.sampled_from([1, 1, 2]),
        "kind": st.sampled_from(["ASSESSMENT", "BEST"]),
        "response_date": st.sampled_from(
            ["2023-03-01", "2023-04-01", "2023-04", "2023-06-01", None]
        ),
        "category": st.sampled_from(["PD", "PR", "CR", "no code"]),
        "confirmed": st.sampled_from(["Y", "N", None]),
    }
)


@settings(deadline=None, max_examples=40, database=None)
@given(st.lists(ASSESSMENTS, min_size=2, max_size=9), st.lists(st.integers(1, 8), max_size=4))
def test_the_cuts_between_batches_change_nothing(
    rows: list[dict[str, Any]], cuts: list[int]
) -> None:
    whole, rows_whole = in_batches(rows, [])
    cut, rows_cut = in_batches(rows, [place for place in cuts if place < len(rows)])
    order = ["file", "row", "column"]
    assert rows_cut == rows_whole
    key = ["rule_id", "severity", "disposition", "scope", "patient_id", "row_id"]
    assert (
        whole.findings.select(key)
        .sort(key, nulls_last=True)
        .equals(cut.findings.select(key).sort(key, nulls_last=True))
    )
    shown = [*order, "value", "understood"]
    assert (
        whole.finding_fields.select(shown)
        .sort(shown, nulls_last=True)
        .equals(cut.finding_fields.select(shown).sort(shown, nulls_last=True))
    )
    assert whole.check_run.equals(cut.check_run)
    assert whole.ledger.sort(whole.ledger.columns, nulls_last=True).equals(
        cut.ledger.sort(cut.ledger.columns, nulls_last=True)
    )
    assert sorted(whole.reasons["response"].rows()) == sorted(cut.reasons["response"].rows())


def on_responses(outcome: CheckOutcome) -> list[str]:
    return outcome.findings.filter(pl.col("table") == "response")["rule_id"].to_list()


def test_a_copy_in_a_later_batch_is_moved_to_quarantine() -> None:
    outcome, rows = in_batches([{}, {"response_date": "2023-03-08"}, {}], [1, 2])
    assert on_responses(outcome) == ["STR-10"]
    assert [row % 1_000_000 for row in rows["held"]] == [4]
    fields = outcome.finding_fields.filter(pl.col("table") == "response").select("row", "value")
    assert fields.rows() == [(4, "2023-03-01"), (2, "2023-03-01")]


def test_a_progression_in_a_later_batch_holds_the_response_after_it() -> None:
    late = {"response_date": "2023-04-20", "category": "VGPR"}
    outcome, rows = in_batches(
        [late, {"kind": "PROGRESSION", "response_date": "2023-04-01", "category": "PD"}], [1]
    )
    assert on_responses(outcome) == ["RSP-03"]
    assert [row % 1_000_000 for row in rows["held"]] == [2]
    fields = outcome.finding_fields.filter(pl.col("table") == "response").select("row", "value")
    assert fields.rows() == [(2, "2023-04-20"), (3, "2023-04-01")]


def test_rows_of_patients_who_are_held_are_held_with_their_reason() -> None:
    outcome, _ = in_batches([{"patient_id": "2"}, {"patient_id": "3"}], [])
    assert outcome.reasons["response"].select("reason", "outcome").rows() == [
        ("ELG-02", "excluded")
    ]


def test_a_small_table_after_the_small_tables_were_sealed_is_a_mistake_of_the_caller() -> None:
    checker = Checker(CATALOG, FACTS)
    checker.add(batch("subject", [{}]))
    checker.add(batch("lab", [{}]))
    with pytest.raises(RuntimeError, match="relapse came after"):
        checker.add(batch("relapse", [{}]))


def test_without_a_patient_table_rules_that_connect_rows_do_not_run() -> None:
    checker = Checker(CATALOG, FACTS)
    checker.add(batch("response", [{}, {}]))
    outcome = checker.finish(sources(), column_map(), pl.DataFrame(schema=ADDRESS))
    told = outcome.check_run.filter(
        pl.col("rule_id").is_in(["STR-03", "STR-10", "RSP-03"]) & (pl.col("table") == "response")
    )
    assert set(told["outcome"]) == {"not_run"}
    assert told.height == 3
    # RSP-03 also looks at later relapses, whose table is not there either.
    assert all(reason.endswith("table subject is not delivered") for reason in told["reason"])


def test_an_empty_batch_is_judged() -> None:
    outcome = judge({"response": []})
    assert outcome.findings.is_empty()
    dated = outcome.check_run.filter(
        (pl.col("rule_id") == "DAT-06") & (pl.col("table") == "response")
    )
    assert dated["outcome"].to_list() == ["not_applicable"]
