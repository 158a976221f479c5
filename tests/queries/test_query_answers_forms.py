"""Returned workbooks that people have worked with: whatever does no harm is read without a word."""

import datetime as dt
import sys
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.query_answers.ids import ids_in
from warehouse.query_answers.read import read_answers
from warehouse.query_answers.words import answers, titles
from warehouse.query_book.columns import COLUMNS

sys.path.insert(0, str(Path(__file__).parent / "damage"))

import answer_books as books  # noqa: E402
from answer_books import ANSWERS, AT, FIRST, IDS, Returned  # noqa: E402


def read(path, **more):
    return read_answers(path, books.queries(), books.CENTER, today=books.NOW.date(), **more)


def answered(file):
    """Answers by query, if nothing is wrong and nothing lost."""
    assert file.problems == ()
    assert file.n_lines == file.answers.height + file.n_repeated + file.n_unanswered
    return {name: (code, value) for name, code, value, *_ in file.answers.iter_rows()}


WANTED = {IDS[0]: ("correct", None), IDS[3]: ("corrected", "2023-02-28"), IDS[6]: ("other", None)}


@pytest.fixture
def book(tmp_path):
    made = Returned(tmp_path / "queries.xlsx")
    made.fill(1, "correct").fill(4, "corrected", corrected_value="2023-02-28")
    return made.fill(7, "other", comment="see our letter")


def table(sheet, first=1):
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=first)]


def replace(sheet, rows, first=1):
    sheet.delete_rows(first, sheet.max_row)
    for at, row in enumerate(rows, first):
        for column, value in enumerate(row, 1):
            sheet.cell(at, column).value = value


def test_as_it_was_sent(book):
    assert answered(read(book.save())) == WANTED


def test_a_workbook_that_nobody_filled_in_holds_no_answers(tmp_path):
    file = read(Returned(tmp_path / "queries.xlsx").save())
    assert (answered(file), file.n_lines, file.n_unanswered) == ({}, 8, 8)


def test_sorted_backwards(book):
    replace(book.sheet, table(book.sheet, FIRST)[::-1], FIRST)
    assert answered(read(book.save())) == WANTED


def test_sorted_with_the_hidden_codes_in_the_middle(book):
    codes, head, *rows = table(book.sheet)
    replace(book.sheet, [head, *rows[:3], codes, *rows[3:]])
    assert answered(read(book.save())) == WANTED


def test_filtered_rows_are_read_like_the_others(book):
    for row in range(FIRST, FIRST + 6):
        book.sheet.row_dimensions[row].hidden = True
    assert answered(read(book.save())) == WANTED


def test_columns_moved(book):
    rows = table(book.sheet)
    replace(book.sheet, [row[7:] + row[:7] for row in rows])
    assert answered(read(book.save())) == WANTED


def test_columns_deleted_that_are_not_needed(book):
    rows = table(book.sheet)
    keep = [AT[code] - 1 for code in ("comment", "answer", "query_id", "corrected_value")]
    replace(book.sheet, [[row[at] for at in keep] + [None] * 20 for row in rows])
    assert answered(read(book.save())) == WANTED


def test_titles_renamed_are_found_by_the_hidden_codes(book):
    for code in ("query_id", "answer", "comment"):
        book.sheet.cell(2, AT[code]).value = f"our own word for {code}"
    assert answered(read(book.save())) == WANTED


def test_hidden_codes_deleted_are_found_by_the_titles(book):
    book.sheet.delete_rows(1)
    assert answered(read(book.save())) == WANTED


def test_a_title_of_ids_renamed_without_codes_is_found_by_the_form_of_ids(book):
    book.sheet.delete_rows(1)
    book.sheet.cell(1, AT["query_id"]).value = "Lfd. Nr."
    assert answered(read(book.save())) == WANTED


def test_rows_and_columns_and_sheets_added(book):
    book.sheet.insert_rows(1, 3)
    book.sheet["B1"] = "Bitte bis Freitag ausfüllen"
    book.sheet.insert_cols(3)
    book.sheet.cell(5, 3).value = "Unsere Notiz"
    for row in range(6, 14):
        book.sheet.cell(row, 3).value = "gesehen"
    book.book.create_sheet("Notizen", 0)["A1"] = "anrufen: Q-"
    assert answered(read(book.save())) == WANTED


def test_rows_deleted_are_not_there_and_nothing_else_changes(book):
    book.sheet.delete_rows(FIRST + 1, 2)
    file = read(book.save())
    assert (answered(file), file.n_lines) == (WANTED, 6)


def test_the_same_line_twice_is_one_answer(book):
    rows = table(book.sheet, FIRST)
    replace(book.sheet, [*rows, rows[0], rows[3]], FIRST)
    file = read(book.save())
    assert (answered(file), file.n_lines, file.n_repeated) == (WANTED, 10, 2)


def test_a_copied_sheet_answered_alike_is_one_answer(book):
    book.book.copy_worksheet(book.sheet)
    file = read(book.save())
    assert (answered(file), file.n_lines, file.n_repeated) == (WANTED, 16, 3)


def test_two_tables_below_each_other(book):
    codes, head, *rows = table(book.sheet)
    turned = [row[::-1] for row in [head, *rows[4:]]]
    replace(book.sheet, [codes, head, *rows[:4], [None] * 30, *turned])
    assert answered(read(book.save())) == WANTED


def test_a_column_of_answers_that_occurs_twice_with_the_same_answers(book):
    for row in range(2, FIRST + 8):
        book.sheet.cell(row, 30).value = book.sheet.cell(row, AT["answer"]).value
    assert answered(read(book.save())) == WANTED


def test_a_line_with_several_ids_answers_each_of_them(tmp_path):
    joined = [f"{IDS[0]} {IDS[1]}", IDS[2], f"{IDS[3]}\n{IDS[4]} {IDS[5]}"]
    made = Returned(tmp_path / "queries.xlsx", ids=joined)
    for line in (1, 2, 3):
        made.fill(line, patient=None)
    file = read(made.fill(1, "correct").fill(2, "not_available").save())
    assert answered(file) == {
        IDS[0]: ("correct", None),
        IDS[1]: ("correct", None),
        IDS[2]: ("not_available", None),
    }
    assert (file.n_lines, file.n_unanswered) == (6, 3)


@pytest.mark.parametrize(
    "text",
    [
        "Q-0000000A",
        "  q-0000000a\u00a0",
        "Q - 0000000A",
        "Q\u20130000000A",
        "Q\u20110000000A\u200b",
        "Rückfrage Q-0000000A (siehe Brief)",
        "Q-OOOOOOOa",
        "\uff31\uff0d0000000A",
    ],
)
def test_an_id_is_found_however_it_was_retyped(text):
    assert ids_in(text) == ("Q-0000000A",)


@pytest.mark.parametrize(
    "text", ["Q-0000000", "Q-000000000", "0000000A", "Q-0000000U", "FAQ-0000000A", "Q-0000 000A"]
)
def test_what_only_looks_like_an_id_is_none(text):
    assert ids_in(text) == ()


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_every_answer_is_read_in_every_language_and_as_its_code(language, tmp_path):
    made = Returned(tmp_path / "queries.xlsx", language=language)
    for line, text in enumerate(ANSWERS[language].values(), 1):
        made.fill(line, f" {text.upper()}. ", comment="words")
    assert [code for code, _ in answered(read(made.save())).values()] == list(ANSWERS["en"])
    for line, code in enumerate(ANSWERS["en"], 1):
        made.sheet.cell(FIRST + line - 1, AT["answer"]).value = code
    assert [code for code, _ in answered(read(made.save())).values()] == list(ANSWERS["en"])


def test_no_two_titles_and_no_two_answers_share_a_spelling():
    """Codes in four spellings for each column (two of them fixed), answers in four."""
    assert set(titles().values()) == {*(column.code for column in COLUMNS), "given"}
    for code in (column.code for column in COLUMNS):
        assert sum(found == code for found in titles().values()) >= 3, code
    for code in ANSWERS["en"]:
        assert sum(found == code for found in answers().values()) >= 4 - (code == "other")


@pytest.mark.parametrize(
    ("cell", "order", "day"),
    [
        (dt.date(2024, 8, 2), "dmy", dt.date(2024, 8, 2)),
        (dt.datetime(2024, 8, 2, 14, 30), "dmy", dt.date(2024, 8, 2)),
        ("2024-08-02", "mdy", dt.date(2024, 8, 2)),
        ("2.8.2024", "dmy", dt.date(2024, 8, 2)),
        ("08/02/2024", "mdy", dt.date(2024, 8, 2)),
        ("02 ago 2024", "dmy", dt.date(2024, 8, 2)),
        ("2. August 2024", "dmy", dt.date(2024, 8, 2)),
        (45506, "dmy", dt.date(2024, 8, 2)),
        ("-", "dmy", None),
    ],
)
def test_days_are_read_in_any_form(cell, order, day, book):
    book.fill(1, answered_on=cell)
    book.sheet.cell(FIRST, AT["answered_on"]).number_format = (
        "yyyy-mm-dd" if isinstance(cell, dt.date) else "General"
    )
    file = read(book.save(), date_order=order)
    assert file.problems == ()
    assert file.answers.filter(query_id=IDS[0])["answered_on"].to_list() == [day]


def test_a_name_filled_down_the_column_answers_nothing(book):
    for line in range(1, 9):
        book.fill(line, answered_by="Dr. Muster", answered_on=dt.date(2024, 8, 2))
    file = read(book.save())
    assert (answered(file), file.n_unanswered) == (WANTED, 5)


@pytest.mark.parametrize(
    ("sent", "back", "same"),
    [
        ("00123", "123", True),
        ("DE01-7", "de01-7 ", True),
        ("123456789012", "1.23457E+11", True),
        ("-17", "'-17", True),
        ("7", "8", False),
        ("A7", "A 7", False),
        (None, "A7", False),
    ],
)
def test_a_patient_is_the_same_in_any_spelling_that_programs_make_of_it(sent, back, same, book):
    queries = books.queries().with_columns(patient_id=pl.lit(sent, pl.String))
    for line in range(1, 9):
        book.fill(line, patient=back)
    file = read_answers(book.save(), queries, books.CENTER)
    assert file.answers.height == (3 if same else 0)
    assert {problem.code for problem in file.problems} == (set() if same else {"OTHER_PATIENT"})


def test_formulas_that_were_calculated_count_with_a_remark(tmp_path):
    made = xlsxwriter.Workbook(str(tmp_path / "queries.xlsx"))
    sheet = made.add_worksheet("Queries")
    sheet.write_row(0, 0, ["Query", "Answer"])
    sheet.write_row(1, 0, [IDS[0], "value is correct"])
    sheet.write_string(2, 0, IDS[1])
    sheet.write_formula(2, 1, "=B2", None, "value is correct")
    made.close()
    file = read(tmp_path / "queries.xlsx")
    [remark] = file.problems
    assert (remark.code, remark.n_lines) == ("FORMULA_READ", 0)
    assert "1 (B3)" in remark.problem
    assert file.answers["answer"].to_list() == ["correct", "correct"]


def test_the_table_beside_the_workbook_may_come_back_instead(tmp_path):
    path = tmp_path / "queries.csv"
    lines = [
        "sep=,",
        "Query,Patient,Question,Answer,Corrected value,Comment,Answered by,Answered on",
        f'{IDS[0]},SECRET-1,"Why, please",value is correct,,,me,08/02/2024',
        f'{IDS[1]},SECRET-2,Why,CORRECTED,"1,5","two\nlines",,',
        f"{IDS[2]},SECRET-3,Why,,,,,",
    ]
    path.write_text("\r\n".join(lines), encoding="utf-8-sig")
    file = read(path, date_order="mdy")
    assert answered(file) == {IDS[0]: ("correct", None), IDS[1]: ("corrected", "1,5")}
    assert file.answers["comment"].to_list() == [None, "two\nlines"]
    assert file.answers["answered_on"].to_list() == [dt.date(2024, 8, 2), None]
    assert file.n_unanswered == 1


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_table_saved_by_excel_in_another_encoding(encoding, tmp_path):
    path = tmp_path / "queries.csv"
    rows = ["Rückfrage;Antwort;Kommentar", f"{IDS[0]};nicht verfügbar;", f"{IDS[1]};Sonstiges;nö"]
    path.write_bytes("\r\n".join(rows).encode(encoding))
    file = read(path)
    assert {code for code, _ in answered(file).values()} == {"not_available", "other"}


def test_a_workbook_without_queries_says_nothing(tmp_path):
    for language in ("en", "de", "es"):
        file = read(Returned(tmp_path / f"{language}.xlsx", ids=[], language=language).save())
        assert (answered(file), file.n_lines) == ({}, 0)


def test_the_sheet_of_what_waits_for_a_delivery_is_not_read(book):
    """It shows earlier answers, under titles of its own and without codes."""
    sheet = book.book.create_sheet("Wartet auf nächste Lieferung")
    sheet.append([None])
    sheet.append(["Rückfrage", "Patient", "Ihre Antwort", "Korrigierter Wert", "Ihr Kommentar"])
    sheet.append([IDS[7], "SECRET-8", "Wert ist richtig", None, None])
    file = read(book.save())
    assert (answered(file), file.n_lines) == (WANTED, 8)


_CELL = st.one_of(
    st.none(),
    st.sampled_from([*ANSWERS["de"].values(), *ANSWERS["es"].values(), "corrected", *IDS, "-"]),
    st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="="), max_size=12
    ),
    st.integers(-5, 60000),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(("query_id", "answer", "corrected_value", "comment"), _CELL)
        ),
        max_size=8,
    ),
    kept=st.booleans(),
)
def test_whatever_the_cells_hold_every_line_is_accounted_for(rows, kept, tmp_path_factory):
    made = Returned(tmp_path_factory.mktemp("cells") / "queries.xlsx")
    for line, cells in enumerate(rows, 1):
        told = {code: value for code, value in cells.items() if not (kept and code == "query_id")}
        made.fill(line, **told)
    file = read(made.save())
    parts = file.answers.height + file.n_repeated + file.n_unanswered + file.n_refused
    assert file.n_lines == parts
    assert file.answers["query_id"].is_unique().all()
    assert set(file.answers["answer"]) <= set(ANSWERS["en"])
    # At least one line for each row that holds anything.
    sheet = openpyxl.load_workbook(made.path, read_only=True).worksheets[1]
    cells_of = sheet.iter_rows(min_row=FIRST, values_only=True)
    filled = sum(any(str(cell or "").strip() for cell in row) for row in cells_of)
    assert file.n_lines >= filled
