"""Entries that occur many times: all rows are held and told, without the square of their number."""

from __future__ import annotations

import time
from typing import Any

import polars as pl

from schemas.check_context import MOST_BEHIND
from schemas.check_copies import NAMED
from schemas.query_notes import Notes
from tests.rules.judging import judge


def named_rows(n: int, rule: str = "STR-02", **other: Any) -> list[list[int]]:
    """Rows of the file that each finding names, of `n` subject rows of one patient."""
    outcome = judge({"subject": [{}] * (n - 1) + [other]})
    fields = outcome.finding_fields.join(
        outcome.findings.filter(pl.col("rule_id") == rule), on="finding_id"
    )
    rows = fields.sort("finding_id", "position").group_by("finding_id", maintain_order=True)
    return [list(part["row"]) for _, part in rows]


def test_in_a_small_group_each_row_names_all_others() -> None:
    assert named_rows(3) == [[3, 2, 4], [4, 2, 3]]
    assert named_rows(NAMED) == [[3, 2, 4, 5, 6], [4, 2, 3, 5, 6], [5, 2, 3, 4, 6], [6, 2, 3, 4, 5]]


def test_in_a_large_group_each_row_names_the_first() -> None:
    assert named_rows(NAMED + 2) == [[3, 2], [4, 2], [5, 2], [6, 2], [7, 2], [8, 2]]


def test_where_the_rows_of_a_large_group_differ_the_first_names_the_second() -> None:
    assert named_rows(6, sex="M") == [[2, 3], [3, 2], [4, 2], [5, 2], [6, 2], [7, 2]]


def test_the_finding_of_a_large_group_says_how_often_the_entry_occurs() -> None:
    told = judge({"subject": [{}] * 7}).findings.filter(pl.col("rule_id") == "STR-02")["message"]
    english = "the same entry occurs 7 times, with its own row one other is named here"
    assert told.unique().to_list() == [english]
    for language, part in (("de", "kommt 7 Mal vor"), ("es", "aparece 7 veces")):
        assert part in Notes(language)(english)
    few = judge({"subject": [{}] * 3}).findings.filter(pl.col("rule_id") == "STR-02")["message"]
    assert "occurs" not in few[0]


def test_forty_thousand_copies_take_time_and_findings_by_their_number() -> None:
    n = 40_000
    rows = [{"drug": "lenalidomide"}] * n
    started = time.process_time()
    outcome = judge({"subject": [{}], "exposure": rows})
    taken = time.process_time() - started
    twice = outcome.findings.filter(pl.col("rule_id") == "STR-10")
    named = outcome.finding_fields.join(twice, on="finding_id", how="semi")
    assert twice.height == n - 1
    assert named.height == 2 * (n - 1)
    assert outcome.kept["exposure"].height == 1
    assert outcome.reasons["exposure"].height == n - 1
    assert taken < 30  # each names each: 1.6 billion fields


def test_a_finding_names_a_bounded_number_of_the_rows_behind_it() -> None:
    lesions = [{"category": "EXTRAOSSEOUS", "timepoint": "RELAPSE"}] * 60
    outcome = judge({"subject": [{}], "relapse": [{"emd": "N"}], "lesion": lesions})
    found = outcome.findings.filter(pl.col("rule_id") == "EMD-01")
    fields = outcome.finding_fields.join(found, on="finding_id", how="semi")
    assert found.height == 1
    assert fields.height == 1 + MOST_BEHIND
