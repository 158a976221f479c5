"""Regimens become drugs and lines; responses become best responses and progressions."""

from __future__ import annotations

import datetime as dt

import pytest

SPEC = """\
sources:
  p: {file: p.csv, patient_id: ID}
tables:
  - table: treatment_line
    from: p
    columns: {line_number: L, start_date: S, end_date: E, drugs: R}
  - table: response
    from: p
    columns: {line_number: L, kind: {constant: BEST}, response_date: D, category: B}
"""
HEADER = "ID,L,S,E,R,D,B\n"


def test_drugs_are_sorted_ids_and_the_text_stands_only_where_it_was_understood(deliver) -> None:
    got = deliver(
        SPEC, p__csv=HEADER + "a,1,2023-01-01,,Dara/Pom/Dex,,\nb,1,2023-01-01,,Foo-Bar,,\n"
    )
    assert got.values("treatment_line", "drugs", "regimen_text") == [
        ("daratumumab|dexamethasone|pomalidomide", "Dara/Pom/Dex"),
        (None, None),
    ]
    assert got.rules("treatment_line") == [("treatment_line", 1, "drugs", "SAL-01")]
    assert got.raws["treatment_line"]["drugs"].to_list() == ["Dara/Pom/Dex", "Foo-Bar"]


def test_an_arrow_makes_two_lines_and_later_lines_and_their_responses_move_up(deliver) -> None:
    got = deliver(
        SPEC,
        p__csv=HEADER + "a,1,2023-01-01,2023-04-01,Tecvayli -> Talvey,2023-02-01,PR\n"
        "a,2,2023-06-01,2023-08-01,Elrexfio,2023-07-01,CR\nb,2,2023-06-01,,Talvey,2023-07-01,SD\n",
    )
    lines = got.frames["treatment_line"].sort("patient_id", "line_number")
    assert lines.select("patient_id", "line_number", "drugs", "start_date", "end_date").rows() == [
        ("a", 1, "teclistamab", dt.date(2023, 1, 1), None),
        ("a", 2, "talquetamab", None, dt.date(2023, 4, 1)),
        ("a", 3, "elranatamab", dt.date(2023, 6, 1), dt.date(2023, 8, 1)),
        ("b", 2, "talquetamab", dt.date(2023, 6, 1), None),
    ]
    assert got.values("response", "patient_id", "line_number", "category") == [("a", 1, "PR"), ("a", 3, "CR"), ("b", 2, "SD")]  # fmt: skip
    assert lines["row_id"].is_unique().all()
    assert got.counted("map", "in", "split") == 1
    assert got.balance() == []


def test_a_cell_that_says_no_therapy_is_no_line_and_is_counted(deliver) -> None:
    got = deliver(
        SPEC, p__csv=HEADER + "a,1,2023-01-01,,none - hospice,,\nb,1,2023-01-01,,Talvey,,\n"
    )
    assert got.values("treatment_line", "patient_id") == [("b",)]
    assert got.rules("treatment_line") == []
    assert got.counted("map", "excluded", "no therapy") == 1
    assert got.balance() == []


def test_a_response_with_an_arrow_is_the_best_and_a_second_row_is_the_progression(deliver) -> None:
    got = deliver(SPEC, p__csv=HEADER + "a,1,2023-01-01,,Talvey,2023-02-01,PR->PD\n")
    assert got.values("response", "kind", "category", "response_date", "reported_category") == [
        ("BEST", "PR", dt.date(2023, 2, 1), "PR->PD"),
        ("PROGRESSION", "PD", None, "PR->PD"),
    ]
    assert got.frames["response"]["row_id"].is_unique().all()
    assert got.balance() == []
    assert got.rules("response") == [("response", 0, "category", "RSP-01")]


def test_a_center_may_leave_the_second_row_out_and_is_asked_all_the_same(deliver) -> None:
    spec = SPEC.replace("  - table: response\n", "  - table: response\n    progression_row: no\n")
    got = deliver(spec, p__csv=HEADER + "a,1,2023-01-01,,Talvey,2023-02-01,PR->PD\n")
    assert got.values("response", "kind", "category") == [("BEST", "PR")]
    assert got.rules("response") == [("response", 0, "category", "RSP-01")]


def test_pd_is_a_response_in_one_column_and_a_regimen_in_the_other(deliver) -> None:
    got = deliver(SPEC, p__csv=HEADER + "a,1,2023-01-01,,Pom-Dex,2023-02-01,PD\n")
    assert got.values("treatment_line", "drugs") == [("dexamethasone|pomalidomide",)]
    assert got.values("response", "category") == [("PD",)]


def test_letters_of_a_registry_need_the_centers_codebook(deliver) -> None:
    rows = HEADER + "a,1,2023-01-01,,Talvey,2023-02-01,V\n"
    assert deliver(SPEC, p__csv=rows).rules("response") == [("response", 0, "category", "RSP-01")]
    with_book = "codebooks: {r: {V: CR}}\n" + SPEC.replace(
        "category: B", "category: {column: B, codebook: r}"
    )
    got = deliver(with_book, p__csv=rows)
    assert got.values("response", "category") == [("CR",)]
    assert got.rules() == []


def test_a_line_with_a_number_alone_is_no_row(deliver) -> None:
    got = deliver(SPEC, p__csv=HEADER + "a,1,2023-01-01,,Talvey,2023-02-01,PR\na,2,,,,,\n")
    assert got.frames["treatment_line"].height == 1
    assert got.counted("map", "excluded", "empty") == 2
    assert got.balance() == []


def test_a_month_beside_a_later_line_is_its_start_with_that_precision(deliver) -> None:
    got = deliver(SPEC, p__csv=HEADER + 'SG-06,1,2023-05-02,,"Tec, then Tal from 2023-11",,\n')
    assert got.values(
        "treatment_line", "line_number", "drugs", "start_date", "start_date_precision"
    ) == [
        (1, "teclistamab", dt.date(2023, 5, 2), "day"),
        (2, "talquetamab", dt.date(2023, 11, 1), "month"),
    ]
    assert got.rules() == []


@pytest.mark.parametrize("order", ["ymd", "dmy", "mdy"])
def test_days_without_a_year_beside_lines_are_asked_about_and_not_guessed(
    deliver, order: str
) -> None:
    got = deliver(
        f"dates: {{order: {order}}}\n{SPEC}",
        p__csv=HEADER + 'SG-21,1,2023-03-01,,"RT 01.03., Tec 15.03.",,\n',
    )
    assert got.values(
        "treatment_line", "line_number", "drugs", "start_date", "start_date_precision"
    ) == [
        (1, "radiotherapy", dt.date(2023, 3, 1), "day"),
        (2, "teclistamab", None, None),
    ]
    assert got.rules() == [("treatment_line", 0, "drugs", "DAT-01")]
    assert got.found["severity"].to_list() == ["warning"]


@pytest.mark.parametrize(
    ("order", "start"), [("dmy", dt.date(2023, 11, 3)), ("mdy", dt.date(2023, 3, 11))]
)
def test_slash_dates_beside_lines_follow_the_order_of_the_center(
    deliver, order: str, start: dt.date
) -> None:
    rows = HEADER + "a,1,,,Tec -> Tal 03/11/2023,,\n"
    got = deliver(f"dates: {{order: {order}}}\n{SPEC}", p__csv=rows)
    assert got.values("treatment_line", "drugs", "start_date", "start_date_precision") == [
        ("teclistamab", None, None),
        ("talquetamab", start, "day"),
    ]


def test_a_line_without_therapy_leaves_its_number_to_the_next_and_the_center_is_asked(
    deliver,
) -> None:
    rows = (
        "a,1,2023-01-01,,BSC,2023-01-20,PD\n"
        "a,2,2023-02-01,2023-04-01,Tecvayli,2023-03-01,PR\n"
        "a,3,2023-05-01,,none,2023-05-20,SD\n"
        "a,4,2023-06-01,,Talvey,2023-07-01,CR\n"
        "b,1,2023-02-01,,Talvey,2023-03-01,PR\n"
        "b,2,2023-05-01,,BSC,2023-06-01,PD\n"
    )
    got = deliver(SPEC, p__csv=HEADER + rows)
    assert got.values("treatment_line", "patient_id", "line_number", "drugs") == [
        ("a", 1, "teclistamab"),
        ("a", 2, "talquetamab"),
        ("b", 1, "talquetamab"),
    ]
    assert got.rules() == [
        ("treatment_line", 0, "drugs", "SAL-04"),
        ("treatment_line", 1, "drugs", "SAL-04"),
    ]
    assert got.found["severity"].to_list() == ["warning", "warning"]
    # What was seen without therapy is no best response, and is told of the line before. Nothing follows b's 2.
    assert got.values("response", "patient_id", "line_number", "kind", "category") == [
        ("a", 0, "PROGRESSION", "PD"),
        ("a", 1, "BEST", "PR"),
        ("a", 1, "ASSESSMENT", "SD"),
        ("a", 2, "BEST", "CR"),
        ("b", 1, "BEST", "PR"),
        ("b", 2, "BEST", "PD"),
    ]
    assert got.balance() == []


def test_a_number_without_therapy_that_another_row_holds_moves_nothing(deliver) -> None:
    rows = "a,1,2023-01-01,,BSC,,\na,1,2023-01-03,,Tecvayli,,\na,2,2023-06-01,,Talvey,,\n"
    got = deliver(SPEC, p__csv=HEADER + rows)
    assert got.values("treatment_line", "line_number", "drugs") == [
        (1, "teclistamab"),
        (2, "talquetamab"),
    ]
    assert got.rules() == []


def test_lines_of_several_blocks_are_numbered_together(deliver) -> None:
    spec = """\
sources:
  p: {file: p.csv, patient_id: ID}
tables:
  - table: treatment_line
    from: p
    columns: {line_number: {constant: 1}, start_date: S1, drugs: R1}
  - table: treatment_line
    from: p
    columns: {line_number: {constant: 2}, start_date: S2, drugs: R2}
  - table: treatment_line
    from: p
    columns: {line_number: {constant: 3}, start_date: S3, drugs: R3}
"""
    rows = (
        "ID,S1,R1,S2,R2,S3,R3\n"
        "a,2023-01-01,Tec -> Tal,2023-06-01,Elrexfio,2023-09-01,DPd\n"
        "b,2023-01-01,BSC,2023-06-01,Elrexfio,2023-09-01,DPd\n"
        "c,2023-01-01,BSC,2023-06-01,Tec -> Tal,2023-09-01,DPd\n"
    )
    got = deliver(spec, p__csv=rows)
    lines = got.frames["treatment_line"].sort("patient_id", "line_number")
    assert lines.group_by("patient_id", maintain_order=True).agg("line_number", "drugs").rows() == [
        ("a", [1, 2, 3, 4], ["teclistamab", "talquetamab", "elranatamab", "daratumumab|dexamethasone|pomalidomide"]),
        ("b", [1, 2], ["elranatamab", "daratumumab|dexamethasone|pomalidomide"]),
        ("c", [1, 2, 3], ["teclistamab", "talquetamab", "daratumumab|dexamethasone|pomalidomide"]),
    ]  # fmt: skip
    assert [rule for *_, rule in got.rules()] == ["SAL-04", "SAL-04"]
    assert got.balance() == []


def test_responses_follow_their_lines_past_splits_and_lines_without_therapy(deliver) -> None:
    rows = (
        "c,1,2023-01-01,,BSC,2023-01-20,PD\n"
        "c,2,2023-02-01,,Tec -> Tal,2023-03-01,PR\n"
        "c,3,2023-09-01,,DPd,2023-10-01,CR\n"
        # Told of the time without therapy, on a day on which the next line was given; the other without a day.
        "d,1,2023-01-01,,BSC,2023-03-01,SD\n"
        "d,2,2023-02-01,,Talvey,2023-04-01,PR\n"
        "e,1,,,BSC,,SD\n"
        "e,2,2023-02-01,,Talvey,2023-04-01,PR\n"
    )
    got = deliver(SPEC, p__csv=HEADER + rows)
    assert got.values("response", "patient_id", "line_number", "kind", "category") == [
        ("c", 0, "PROGRESSION", "PD"),
        ("c", 1, "BEST", "PR"),
        ("c", 3, "BEST", "CR"),
        ("d", 1, "ASSESSMENT", "SD"),
        ("d", 1, "BEST", "PR"),
        ("e", 1, "BEST", "PR"),
    ]
    assert got.counted("map", "excluded", "no therapy") == 4  # three lines, one response
    assert got.balance() == []
