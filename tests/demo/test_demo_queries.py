"""What is told of the questions to centers agrees with what was planted, and every fate occurs."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

Row = dict[str, str]
PLACE = ("file", "sheet", "row", "column")


@pytest.fixture(scope="module")
def queries(study: Path) -> list[Row]:
    with (study / "truth/queries.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def place(query: Row, round_: int) -> tuple[str, ...]:
    return tuple(query[f"{name}_{round_}"] for name in PLACE)


def of_kind(queries: list[Row], kind: str) -> list[Row]:
    return [q for q in queries if q["kind"] == kind]


def test_every_fate_occurs_and_at_least_two_of_each(queries: list[Row]) -> None:
    fates = Counter(q["outcome_2"] for q in queries)
    assert set(fates) == {"new", "still_failing", "changed_still_failing", "resolved", "withdrawn"}
    assert min(fates.values()) >= 2
    assert {q["outcome_1"] for q in queries} == {"new", ""}
    assert {q["outcome_2"] for q in queries if not q["outcome_1"]} == {"new"}
    assert all(q["outcome_2"] != "new" for q in queries if q["outcome_1"])


@pytest.mark.parametrize("round_", [1, 2])
def test_each_fault_and_mark_that_asks_is_a_question_at_its_first_field(
    round_: int, queries: list[Row], faults: list[Row], marked: list[Row]
) -> None:
    told = {
        (f["fault_id"], f["center"], f["rule_id"], *(f[name] for name in PLACE))
        for f in [*faults, *marked]
        if f["round"] == str(round_) and f["position"] == "1" and f["rule_id"] != "SAL-11"
    }
    failing = ("new", "still_failing", "changed_still_failing")
    asked = {
        (q["fault_id"], q["center"], q["rule_id"], *place(q, round_))
        for q in queries
        if q[f"outcome_{round_}"] in failing and q["kind"] != "patient_gone"
    }
    second_id = {a for a in asked - told if a[2] == "DUP-01"}
    assert len(second_id) == (1 if round_ == 1 else 0)
    assert asked - second_id == told


def test_what_fails_no_more_has_no_place_in_round_two(queries: list[Row]) -> None:
    for q in queries:
        over = q["outcome_2"] in ("resolved", "withdrawn")
        assert (place(q, 2) == ("", "", "", "")) is (over or q["kind"] == "patient_gone")
        assert (place(q, 1) == ("", "", "", "")) is (not q["outcome_1"])


def test_two_questions_of_a_record_and_rule_never_are_the_same_cell(queries: list[Row]) -> None:
    seen = Counter((q["center"], q["rule_id"], *place(q, 1)) for q in queries if q["outcome_1"])
    assert set(seen.values()) == {1}


def test_rows_of_nobody_and_rows_entered_twice_are_withdrawn_when_they_are_taken_out(
    queries: list[Row],
) -> None:
    gone = {(q["kind"], q["patient_id"]) for q in queries if q["outcome_2"] == "withdrawn"}
    assert {kind for kind, _ in gone} == {
        "line_twice", "orphan_line", "orphan_assessment", "patient_under_two_ids",
    }  # fmt: skip
    assert ("patient_under_two_ids", "9001") in gone
    kept = {q["patient_id"]: q["outcome_2"] for q in of_kind(queries, "patient_under_two_ids")}
    assert Counter(kept.values()) == {"withdrawn": 1, "resolved": 1}


def test_one_visit_is_mended_and_the_next_breaks_in_one_patient_and_table(
    queries: list[Row],
) -> None:
    (first,) = of_kind(queries, "hemoglobin_unit")
    (second,) = of_kind(queries, "next_hemoglobin_unit")
    assert (first["outcome_2"], second["outcome_2"]) == ("resolved", "new")
    same = ("center", "patient_id", "rule_id")
    assert [first[name] for name in same] == [second[name] for name in same]
    assert (first["file_1"], first["column_1"]) == (second["file_2"], second["column_2"])
    assert first["row_1"] != second["row_2"]


def test_a_corrected_id_and_a_corrected_date_of_the_key_are_resolved_and_not_withdrawn(
    queries: list[Row],
) -> None:
    kinds = ("mistyped_id", "letter_of_id_lost", "leading_zeros_lost", "assessment_after_death",
             "response_before_line", "progression_before_line", "sample_after_death")  # fmt: skip
    assert {k: [q["outcome_2"] for q in of_kind(queries, k)] for k in kinds} == {
        k: ["resolved"] for k in kinds
    }


def test_what_changed_holds_another_value_in_the_same_cell(
    queries: list[Row], study: Path, table
) -> None:
    told = defaultdict(list)
    for q in queries:
        if q["outcome_2"] in ("still_failing", "changed_still_failing"):
            cells = []
            for round_, day in ((1, "2024-06-14"), (2, "2024-08-30")):
                file, sheet, row, column = place(q, round_)
                folder = study / "inbox" / q["center"] / day
                cells.append(table(folder, q["center"], file, sheet)[int(row), column])
            told[q["outcome_2"]].append(cells)
    assert sorted(told["changed_still_failing"]) == [["1,8", "2,1"], ["145", "160"]]
    assert all(one == two for one, two in told["still_failing"])
