"""Returned workbooks of queries with every kind of damage: one clear message each, and nothing lost."""

import datetime as dt
import shutil
import sys
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from warehouse.query_answers.problems import TEXTS
from warehouse.query_answers.read import read_answers

sys.path.insert(0, str(Path(__file__).parent / "damage"))

import answer_books as books  # noqa: E402
import answer_damage as kinds  # noqa: E402
from answer_books import FIRST, Returned  # noqa: E402
from answer_damage import DAMAGE, WRITTEN  # noqa: E402


def read(path, center=books.CENTER, **more):
    queries = more.pop("queries", books.queries())
    told = {"study_id": books.STUDY, "today": books.NOW.date(), **more}
    return read_answers(path, queries, center, **told)


@pytest.fixture
def returned(tmp_path):
    """A workbook of which the center answered the first two lines."""
    book = Returned(tmp_path / "queries.xlsx")
    book.fill(1, "correct", answered_by=WRITTEN, answered_on=dt.date(2024, 8, 2))
    return book.fill(2, "corrected", corrected_value=WRITTEN)


def is_accounted_for(file):
    """Lines = answers + known already + unanswered + refused."""
    parts = file.answers.height + file.n_repeated + file.n_unanswered + file.n_refused
    return file.n_lines == parts


def filled_rows(path, titles=2):
    """Rows below the titles that hold anything, counted by other means."""
    sheet = openpyxl.load_workbook(path).worksheets[1]
    rows = sheet.iter_rows(min_row=titles + 1, values_only=True)
    return sum(any(cell not in (None, "") for cell in row) for row in rows)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_each_damage_gives_one_clear_message_and_loses_nothing(damage, returned):
    code, refused, taken = DAMAGE[damage]
    damage(returned)
    file = read(returned.save())
    [problem] = file.problems
    assert (problem.code, problem.n_lines, file.answers.height) == (code, refused, taken)
    assert is_accounted_for(file)
    text = str(problem)
    assert "queries.xlsx" in text
    assert "Fix: " in text
    assert WRITTEN not in text
    assert "SECRET" not in text
    if damage not in (kinds.titles_deleted, kinds.sheet_deleted):
        assert file.n_lines == filled_rows(returned.path)


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (kinds.unknown_answer, (FIRST, "Antwort")),
        (kinds.comment_without_answer, (FIRST + 2, "Antwort")),
        (kinds.other_without_words, (FIRST, "Kommentar")),
        (kinds.unreadable_day, (FIRST, "Beantwortet am")),
        (kinds.unknown_id, (FIRST, "Rückfrage")),
        (kinds.error_cell, (FIRST + 1, "Korrigierter Wert")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_message_names_sheet_row_and_column(damage, place, returned):
    damage(returned)
    [problem] = read(returned.save()).problems
    assert (problem.place.sheet, problem.place.row, problem.place.column) == ("Rückfragen", *place)


def test_an_answer_beside_an_unreadable_one_to_the_same_query_is_not_taken(returned):
    returned.fill(8, "vielleicht", query_id=books.IDS[0], patient=None)
    file = read(returned.save())
    found = {problem.code: (problem.place.row, problem.n_lines) for problem in file.problems}
    assert found == {"DIFFERENT_ANSWERS": (FIRST, 1), "UNKNOWN_ANSWER": (FIRST + 7, 1)}
    [both] = [problem for problem in file.problems if problem.code == "DIFFERENT_ANSWERS"]
    assert "different answers in rows 3 and 10;" in both.problem
    assert file.answers["query_id"].to_list() == [books.IDS[1]]
    assert is_accounted_for(file)


@pytest.mark.parametrize(
    ("damage", "column", "rows", "taken"),
    [
        (kinds.merged_answers, "Antwort", [FIRST, FIRST + 1], []),
        (kinds.merged_values, "Korrigierter Wert", [FIRST + 1, FIRST + 2], [books.IDS[0]]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_cell_merged_over_two_lines_answers_neither(damage, column, rows, taken, returned):
    damage(returned)
    file = read(returned.save())
    told = [(p.code, p.place.row, p.place.column, p.n_lines) for p in file.problems]
    assert told == [("MERGED", row, column, 1) for row in rows]
    assert file.answers["query_id"].to_list() == taken
    assert is_accounted_for(file)
    assert WRITTEN not in str(file.problems)


def test_a_merged_answer_that_reaches_below_the_lines_is_the_answer_of_its_one_line(returned):
    last = FIRST + 7
    returned.fill(8, "correct")
    returned.sheet.merge_cells(
        start_row=last, end_row=last + 3, start_column=books.AT["answer"],
        end_column=books.AT["answer"],
    )  # fmt: skip
    file = read(returned.save())
    assert file.problems == ()
    assert file.answers.height == 3


def test_an_answer_counts_without_a_day_that_cannot_be_read(returned):
    returned.fill(1, answered_on="31.02.2024")
    file = read(returned.save())
    assert [problem.code for problem in file.problems] == ["BAD_DATE"]
    assert file.answers["answered_on"].to_list() == [None, None]
    assert file.answers["answer"].to_list() == ["correct", "corrected"]


def test_a_message_says_how_long_an_unknown_answer_is_and_not_what_it_says(returned):
    returned.fill(1, "zwölf zeichen")
    [problem] = read(returned.save()).problems
    assert "a text of 13 characters" in problem.problem
    assert "corrected, correct, not_available, patient_withdrawn, other" in problem.problem


def test_an_answer_to_a_value_that_was_delivered_anew_is_not_taken(returned):
    """The workbook is of part 1; part 2 of the log tells another value for the first query."""
    queries = books.queries()
    then = queries.select(
        pl.lit(1, pl.Int64).alias("part"),
        pl.int_range(pl.len(), dtype=pl.Int32).alias("position"),
        "query_id",
        pl.when(pl.col("query_id") == books.IDS[0])
        .then(pl.lit("print of old"))
        .otherwise("fingerprint")
        .alias("fingerprint"),
        pl.lit("created").alias("event"),
        *(pl.lit(None, pl.String).alias(name) for name in ("answer", "corrected_value", "comment")),
    )
    now = then.with_columns(pl.lit(2, pl.Int64).alias("part"), queries["fingerprint"])
    file = read(returned.save(), queries=queries, events=pl.concat([then, now]))
    [problem] = file.problems
    assert (problem.code, problem.query_ids) == ("VALUE_CHANGED", (books.IDS[0],))
    assert file.answers["query_id"].to_list() == [books.IDS[1]]
    assert is_accounted_for(file)


def test_without_folder_and_marks_ids_of_two_centers_refuse_the_file(returned):
    kinds.foreign_id(returned)
    del returned.book["carmony"]
    file = read(returned.save(), center=None)
    assert [problem.code for problem in file.problems] == ["CENTER_UNKNOWN"]
    assert file.answers.is_empty()
    assert is_accounted_for(file)


def test_without_folder_and_marks_the_ids_say_whose_answers_they_are(returned):
    del returned.book["carmony"]
    file = read(returned.save(), center=None)
    assert (file.center_id, file.answers.height, file.problems) == (books.CENTER, 2, ())


@pytest.mark.parametrize(
    ("damage", "codes"),
    [
        (kinds.truncated, {"TRUNCATED"}),
        (kinds.damaged_zip, {"CORRUPT"}),
        (kinds.a_letter_in_disguise, {"WRONG_TYPE"}),
        (kinds.empty_file, {"WRONG_TYPE", "CORRUPT"}),
        (kinds.zip_in_disguise, {"WRONG_TYPE"}),
        (kinds.with_macros, {"WRONG_TYPE"}),
        (kinds.with_password, {"ENCRYPTED"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_file_that_cannot_be_opened_gives_one_message(damage, codes, returned):
    path = returned.save()
    damage(path)
    file = read(path)
    [problem] = file.problems
    assert problem.code in codes
    assert "queries.xlsx" in str(problem)
    assert problem.fix.startswith(("ask", "the upload"))
    assert (file.n_lines, file.is_read) == (0, False)


@pytest.mark.parametrize("name", ["answers.docx", "answers.zip", "answers.sav", "answers.parquet"])
def test_a_file_of_another_kind_gives_one_message(name, returned, tmp_path):
    path = shutil.copy(returned.save(), tmp_path / name)
    [problem] = read(path).problems
    assert problem.code == "WRONG_TYPE"
    assert name in str(problem)


def test_a_missing_file_gives_one_message(tmp_path):
    [problem] = read(tmp_path / "gone.xlsx").problems
    assert problem.code == "CORRUPT"


# The table in place of the workbook.


def csv_file(tmp_path, *rows):
    path = tmp_path / "queries.csv"
    path.write_text("\r\n".join(rows), encoding="utf-8-sig")
    return path


def test_an_empty_table_gives_one_message(tmp_path):
    assert [p.code for p in read(csv_file(tmp_path, "")).problems] == ["NO_ROWS"]


def test_a_table_of_titles_alone_gives_one_message(tmp_path):
    assert [p.code for p in read(csv_file(tmp_path, "Query,Answer,Comment")).problems] == ["EMPTY"]


def test_a_row_with_too_many_cells_is_told_and_the_others_are_read(tmp_path):
    path = csv_file(
        tmp_path,
        "Query;Answer;Comment",
        f"{books.IDS[0]};value is correct;",
        f"{books.IDS[1]};other;first; second; third",
        f"{books.IDS[2]};;",
    )
    file = read(path)
    [problem] = file.problems
    assert (problem.code, problem.place.row) == ("NOT_A_RECORD", 3)
    assert (file.n_lines, file.answers.height, file.n_unanswered) == (3, 1, 1)
    assert is_accounted_for(file)


def test_a_row_with_control_marks_is_told_and_the_others_are_read(returned):
    path = csv_file(
        returned.path.parent,
        "Query;Answer;Comment",
        f"{books.IDS[0]};value is correct;",
        f"{books.IDS[1]};other;copied\u202e text",
    )
    file = read(path)
    [problem] = file.problems
    assert (problem.code, problem.place.row) == ("CONTROL_CHAR", 3)
    assert (file.n_lines, file.answers.height) == (2, 1)
    assert is_accounted_for(file)


def test_a_letter_that_names_a_query_is_told(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text(f"Dear all\nour answer to {books.IDS[0]} is yes\nKind regards\n")
    file = read(path)
    assert [problem.code for problem in file.problems] == ["NO_TITLES"]
    assert is_accounted_for(file)


def test_every_text_of_a_problem_says_what_to_do():
    for code, (problem, fix) in TEXTS.items():
        assert problem, code
        assert fix, code
        assert fix[0].islower(), code


def test_the_page_for_data_managers_tells_every_problem():
    page = (Path(__file__).parents[2] / "docs" / "answers.md").read_text()
    assert [code for code in TEXTS if f"`{code}`" not in page] == []
