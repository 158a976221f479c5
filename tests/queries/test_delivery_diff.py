"""What differs between two deliveries, and who asked for it: hand-made cases, answers by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.query_frames import QUERY
from tests.queries.delivery_case import CATALOG, changes, query, stage, told
from warehouse.delivery_diff import delivery_changes
from warehouse.delivery_diff import rows as rows_module
from warehouse.delivery_diff.changes import differences, with_asked
from warehouse.delivery_diff.pairs import Sides

LINE = {"line_number": 1, "start_date": "2023-02-01", "drugs": "teclistamab"}
FOLLOW = {"vital_status": "DEAD", "death_date": "2024-03-02"}
FIRST = "line_number=1"


def test_a_value_is_changed_added_or_removed(tmp_path: Path) -> None:
    before = {"treatment_line": [{**LINE, "end_date": "2023-05-01"}]}
    after = {"treatment_line": [{**LINE, "start_date": "2023-02-03", "stop_reason": "PLANNED"}]}
    table = ("treatment_line", FIRST)
    assert told(changes(tmp_path, before, after)) == [
        ("value", "added", *table, "stop_reason", None, "PLANNED"),
        ("value", "changed", *table, "start_date", "2023-02-01", "2023-02-03"),
        ("value", "removed", *table, "end_date", "2023-05-01", None),
    ]


def test_how_exact_a_date_is_and_the_comparator_of_a_number_belong_to_the_value(
    tmp_path: Path,
) -> None:
    response = {"line_number": 1, "kind": "ASSESSMENT", "category": "PR"}
    one = {"m_protein_serum": 0.5, "m_protein_serum_comparator": "<", "m_protein_serum_unit": "g/L"}
    before = {
        "treatment_line": [{**LINE, "start_date": "2023-02"}],
        "response": [{**response, **one}],
    }
    two = {"m_protein_serum": 0.5, "m_protein_serum_unit": "mg/L"}
    after = {"treatment_line": [LINE], "response": [{**response, **two}]}
    instance = "line_number=1 kind=ASSESSMENT response_date="
    assert told(changes(tmp_path, before, after)) == [
        ("value", "changed", "response", instance, "m_protein_serum", "<0.5", "0.5"),
        ("value", "changed", "treatment_line", FIRST, "start_date", "2023-02", "2023-02-01"),
    ]


def test_the_unit_as_reported_is_no_change(tmp_path: Path) -> None:
    lab = {"lab_date": "2023-01-05", "test": "HB", "value": 10.2}
    before, after = ({"lab": [{**lab, "value_unit": unit}]} for unit in ("g/dL", "g/L"))
    assert told(changes(tmp_path, before, after)) == []


def test_patients_and_records_are_added_and_removed(tmp_path: Path) -> None:
    before = {"subject": [{"patient_id": "A"}, {"patient_id": "B"}], "treatment_line": [LINE]}
    after = {
        "subject": [{"patient_id": "A"}, {"patient_id": "C", "sex": "F"}],
        "treatment_line": [LINE, {**LINE, "line_number": 2, "start_date": "2024"}],
    }
    found = changes(tmp_path, before, after)
    line = "line_number=2; start_date=2024; drugs=teclistamab"
    assert told(found) == [
        ("patient", "added", None, None, None, None, None),
        ("patient", "removed", None, None, None, None, None),
        ("record", "added", "subject", "", None, None, "sex=F"),
        ("record", "added", "treatment_line", "line_number=2", None, None, line),
        ("record", "removed", "subject", "", None, "", None),
    ]
    assert not found["asked"].any()


def test_a_corrected_date_of_a_key_is_a_changed_value(tmp_path: Path) -> None:
    lab = {"test": "HB", "value": 10.2}
    before = {"lab": [{**lab, "lab_date": "2023-01-05"}, {**lab, "lab_date": "2023-02-05"}]}
    after = {"lab": [{**lab, "lab_date": "2023-01-05"}, {**lab, "lab_date": "2023-02-15"}]}
    instance = "lab_date=2023-02-05 test=HB"
    assert told(changes(tmp_path, before, after)) == [
        ("value", "changed", "lab", instance, "lab_date", "2023-02-05", "2023-02-15")
    ]


def test_where_nobody_can_tell_which_is_which_records_are_removed_and_added(tmp_path: Path) -> None:
    days = [("2023-01-05", "2023-02-05"), ("2023-03-05", "2023-04-05")]
    before, after = (
        {"lab": [{"test": "HB", "value": 10.2, "lab_date": day} for day in pair]} for pair in days
    )
    found = changes(tmp_path, before, after)
    assert found.group_by("level", "change").len().sort("change").rows() == [
        ("record", "added", 2),
        ("record", "removed", 2),
    ]


def test_rows_that_agree_in_their_key_are_told_apart_by_what_they_hold_then_by_order(
    tmp_path: Path,
) -> None:
    lab = {"lab_date": "2023-01-05", "test": "HB"}
    before = {"lab": [{**lab, "value": value} for value in (1.0, 2.0, 3.0)]}
    after = {"lab": [{**lab, "value": value} for value in (3.0, 1.0, 4.0)]}
    instance = "lab_date=2023-01-05 test=HB"
    assert told(changes(tmp_path, before, after)) == [
        ("value", "changed", "lab", instance, "value", "2", "4")
    ]


def test_a_row_that_stands_once_more_is_added(tmp_path: Path) -> None:
    found = changes(tmp_path, {"treatment_line": [LINE]}, {"treatment_line": [LINE, LINE]})
    assert [row[:4] for row in told(found)] == [("record", "added", "treatment_line", FIRST)]


def test_rows_that_are_held_back_are_delivered_all_the_same(tmp_path: Path) -> None:
    other = {**LINE, "start_date": "2023-02-02"}
    found = changes(
        tmp_path, {}, {"treatment_line": [other]}, held_before={"treatment_line": [LINE]}
    )
    value = ("treatment_line", FIRST, "start_date", "2023-02-01", "2023-02-02")
    assert told(found) == [("value", "changed", *value)]


def test_a_column_that_is_delivered_newly_or_no_longer_is_told_once(tmp_path: Path) -> None:
    lines = [{**LINE, "line_number": number} for number in (1, 2, 3)]
    ended = [{**line, "end_date": "2023-05-01"} for line in lines]
    more = {"unmapped_before": ["treatment_line.end_date"]}
    found = changes(tmp_path / "new", {"treatment_line": lines}, {"treatment_line": ended}, **more)
    header = "H treatment_line end_date"
    assert told(found) == [("column", "added", "treatment_line", None, "end_date", None, header)]
    more = {"unmapped_after": ["treatment_line.end_date"]}
    found = changes(tmp_path / "old", {"treatment_line": ended}, {"treatment_line": lines}, **more)
    assert told(found) == [("column", "removed", "treatment_line", None, "end_date", header, None)]


def test_a_value_that_no_header_holds_is_compared_all_the_same(tmp_path: Path) -> None:
    before, after = (
        {"infusion": [{"infusion_number": 1, "setting": s}]} for s in ("TRIAL", "COMMERCIAL")
    )
    found = changes(tmp_path, before, after, unmapped_before=["infusion.setting"])
    value = ("infusion", "infusion_number=1", "setting", "TRIAL", "COMMERCIAL")
    assert ("value", "changed", *value) in told(found)


def test_of_a_center_that_adds_to_what_it_sent_nothing_is_removed(tmp_path: Path) -> None:
    one = stage(tmp_path / "one", {"treatment_line": [LINE, {**LINE, "line_number": 2}]})
    two = stage(
        tmp_path / "two", {"treatment_line": [{**LINE, "line_number": 2, "end_date": "2024-01-05"}]}
    )
    found = delivery_changes([one], [one, two], CATALOG, center_id="XX01")
    assert told(found) == [
        ("value", "added", "treatment_line", "line_number=2", "end_date", None, "2024-01-05")
    ]


CHANGED = ({"follow_up": [FOLLOW]}, {"follow_up": [{**FOLLOW, "death_date": "2024-04-02"}]})


@pytest.mark.parametrize(
    ("about", "is_asked"),
    [
        ({"table": "follow_up", "field": "death_date"}, True),
        ({"table": "follow_up", "field": "vital_status", "involved": ["vital_status", "death_date_precision"]}, True),
        ({"table": "follow_up", "field": "last_contact_date"}, False),
        ({"table": "treatment_line", "instance": FIRST, "field": "start_date",
          "involved": ["start_date", "follow_up.death_date"]}, True),
        ({"table": "treatment_line", "instance": FIRST, "field": "death_date",
          "involved": ["death_date", "treatment_line.start_date"]}, True),
        ({"field": "H follow_up death_date", "instance": "file=export #.csv sheet="}, True),
        ({"table": "follow_up", "field": "death_date", "patient_id": "B"}, False),
        ({"table": "follow_up", "field": "death_date", "center_id": "YY02"}, False),
        ({"table": "follow_up", "field": "death_date", "state": "candidate"}, False),
        ({"table": "follow_up", "field": "death_date", "state": "answered"}, True),
        ({"table": "follow_up", "field": "death_date", "state": "closed", "resolution": "not_available"}, True),
        ({"table": "follow_up", "field": "death_date", "state": "closed", "resolution": "confirmed_correct"}, False),
        ({"table": "follow_up", "field": "death_date", "state": "resolved"}, False),
    ],
    ids=[
        "the cell", "a companion of it", "another column", "from another table", "first field in another table",
        "by its header", "another patient", "another center", "not released", "answered", "not available",
        "confirmed as it was", "settled before",
    ],
)  # fmt: skip
def test_a_changed_value_is_asked_for_by(
    about: dict[str, Any], is_asked: bool, tmp_path: Path
) -> None:
    found = changes(tmp_path, *CHANGED, query(**about))
    assert found.select("column", "asked", "query_id").rows() == [
        ("death_date", is_asked, "Q-1" if is_asked else None)
    ]


def test_two_queries_that_ask_for_one_change_are_both_named(tmp_path: Path) -> None:
    about = {"table": "follow_up", "field": "death_date"}
    queries = [query(query_id=name, **about) for name in ("Q-2", "Q-1")]
    assert changes(tmp_path, *CHANGED, *queries)["query_id"].to_list() == ["Q-1 Q-2"]


def test_a_query_on_one_line_does_not_ask_for_a_change_of_the_other(tmp_path: Path) -> None:
    second = {**LINE, "line_number": 2}
    before = {"treatment_line": [LINE, second]}
    after = {"treatment_line": [LINE, {**second, "start_date": "2023-09-01"}]}
    on_first = {"table": "treatment_line", "instance": FIRST, "field": "start_date"}
    one = changes(tmp_path / "1", before, after, query(**on_first))
    assert one["asked"].to_list() == [False]
    both = query(
        **on_first, involved=["start_date", "start_date"]
    )  # a rule on this and the next line
    assert changes(tmp_path / "2", before, after, both)["asked"].to_list() == [True]


def test_values_of_one_cell_are_asked_for_together(tmp_path: Path) -> None:
    before = {"treatment_line": [{**LINE, "drugs": None}]}
    after = {"treatment_line": [{**LINE, "regimen_text": "Tec", "stop_reason": "PLANNED"}]}
    asked = query(table="treatment_line", instance=FIRST, field="drugs")
    found = changes(tmp_path, before, after, asked)
    assert dict(found.select("column", "asked").iter_rows()) == {
        "drugs": True,
        "regimen_text": True,  # read from the same cell
        "stop_reason": False,
    }


def test_a_record_is_gone_because_of_a_query_on_it(tmp_path: Path) -> None:
    second = {**LINE, "line_number": 2}
    asked = query(table="treatment_line", instance="line_number=2", field="drugs")
    found = changes(tmp_path, {"treatment_line": [LINE, second]}, {"treatment_line": [LINE]}, asked)
    assert found.select("level", "change", "asked").rows() == [("record", "removed", True)]


def test_a_record_is_new_because_a_rule_missed_it(tmp_path: Path) -> None:
    before = {"subject": [{}]}
    after = {"subject": [{}], "follow_up": [FOLLOW], "treatment_line": [LINE]}
    missed = query(rule_id="SUR-01", table="subject", field="patient_id",
                   involved=["patient_id", "follow_up.vital_status"])  # fmt: skip
    found = changes(tmp_path, before, after, missed)
    assert dict(found.select("table", "asked").iter_rows()) == {
        "follow_up": True,
        "treatment_line": False,
    }


def test_a_record_under_a_corrected_id_is_asked_for_at_both_ends(tmp_path: Path) -> None:
    before = {"subject": [{}], "treatment_line": [{**LINE, "patient_id": "B"}]}
    after = {"subject": [{}], "treatment_line": [LINE]}
    nobody = query(rule_id="STR-03", patient_id="B", table="treatment_line", instance=FIRST,
                   field="patient_id")  # fmt: skip
    found = changes(tmp_path, before, after, nobody)
    assert found["asked"].to_list() == [True, True, True]  # the record twice, and patient B
    assert set(found["patient_id"]) == {"A", "B"}


def test_many_rows_are_compared_center_by_center_with_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = []
    for number, center in enumerate(("XX01", "YY02")):
        rows = {**LINE, "patient_id": f"B{number}", "center_id": center}
        folders = [
            stage(tmp_path / center / name, {"treatment_line": [{**rows, "patient_id": patient}]})
            for name, patient in (("before", f"B{number}"), ("after", f"A{number}"))
        ]
        sides.append(Sides(center, (folders[0],), (folders[1],)))
    nobody = query(rule_id="STR-03", patient_id="B1", center_id="YY02", table="treatment_line",
                   instance=FIRST, field="patient_id")  # fmt: skip
    queries = pl.DataFrame([nobody], schema=QUERY)

    def found() -> list[tuple[Any, ...]]:
        marked = with_asked(differences(sides, CATALOG), sides, CATALOG, queries)
        names = ("center_id", "patient_id", "level", "change", "asked")
        return sorted(marked.select(names).rows())

    at_once = found()
    monkeypatch.setattr(rows_module, "MOST_BYTES", 1)
    assert found() == at_once
    assert {row[0] for row in at_once if row[-1]} == {"YY02"}
    assert len(at_once) == 8


def test_a_row_without_an_id_that_got_one_is_asked_for(tmp_path: Path) -> None:
    before, after = {"subject": [{}]}, {"subject": [{}], "treatment_line": [LINE]}
    lost = {"rule_id": "STR-01", "patient_id": None, "field": "Patient"}
    here = changes(tmp_path / "1", before, after, query(**lost, instance="source=all"))
    elsewhere = changes(tmp_path / "2", before, after, query(**lost, instance="source=labor"))
    assert (here["asked"].to_list(), elsewhere["asked"].to_list()) == ([True], [False])


def test_a_patient_who_was_asked_about_is_gone_with_all_records_on_request(tmp_path: Path) -> None:
    before = {"subject": [{}, {"patient_id": "B"}], "treatment_line": [LINE]}
    after = {"subject": [{"patient_id": "B"}]}
    asked = query(rule_id="ELG-01", table="infusion", field="product", answer="patient_withdrawn")
    assert changes(tmp_path / "1", before, after, asked)["asked"].to_list() == [True] * 3
    other = query(rule_id="RSP-02", table="response", field="category")
    assert changes(tmp_path / "2", before, after, other)["asked"].to_list() == [False] * 3
