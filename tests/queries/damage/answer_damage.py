"""Damage to a returned workbook: to its cells (a function of `Returned`), or to its bytes (of a path)."""

import datetime as dt
import zipfile

import answer_books as books
from answer_books import AT, FIRST

WRITTEN = "zzz-private-words"  # stands for what a center wrote; no message may show it


def without_ids(book):
    book.sheet.delete_cols(AT["query_id"])


def without_answers(book):
    book.sheet.delete_cols(AT["answer"])


def short_id(book):
    book.fill(1, query_id="Q-0000001")


def id_deleted(book):
    book.fill(1, query_id=None)


def unknown_id(book):
    book.fill(1, query_id=books.NOBODY)


def foreign_id(book):
    book.fill(1, query_id=books.FOREIGN)


def ids_sorted_without_their_lines(book):
    """The ids of the first two lines, which are about two patients, were exchanged."""
    book.fill(1, query_id=books.IDS[1]).fill(2, query_id=books.IDS[0])
    book.fill(2, patient=None)


def ended_query(book):
    book.fill(1, query_id=books.ENDED, patient=None)


def candidate(book):
    book.fill(1, query_id=books.CANDIDATE, patient=None)


def two_answers(book):
    book.fill(8, "not_available", query_id=books.IDS[0], patient=None)


def two_answers_below_each_other(book):
    book.fill(1, query_id=books.IDS[1], patient=None)


def unknown_answer(book):
    book.fill(1, WRITTEN)


def other_without_words(book):
    book.fill(1, "other", comment="-")


def comment_without_answer(book):
    book.fill(3, comment=WRITTEN)


def correct_but_corrected(book):
    book.fill(1, corrected_value=WRITTEN)


def merged_answers(book):
    book.sheet.merge_cells(
        start_row=FIRST, end_row=FIRST + 1, start_column=AT["answer"], end_column=AT["answer"]
    )
    book.sheet.cell(FIRST + 1, AT["corrected_value"]).value = None


def merged_values(book):
    book.sheet.merge_cells(
        start_row=FIRST + 1, end_row=FIRST + 2, start_column=AT["corrected_value"],
        end_column=AT["corrected_value"],
    )  # fmt: skip


def merged_ids(book):
    book.sheet.merge_cells(start_row=FIRST, end_row=FIRST + 1, start_column=1, end_column=1)


def formula(book):
    book.fill(1, answer="=O4")


def error_cell(book):
    book.fill(2, corrected_value="#REF!")
    book.sheet.cell(FIRST + 1, AT["corrected_value"]).data_type = "e"


def unreadable_day(book):
    book.fill(1, answered_on=WRITTEN)


def future_day(book):
    book.fill(1, answered_on=dt.date(2031, 1, 1))


def month_only(book):
    book.fill(1, answered_on="08/2024")


def old_format(book):
    book.book["carmony"]["B1"] = "0"


def other_study(book):
    book.book["carmony"]["B2"] = "ANOTHER"


def other_center(book):
    book.book["carmony"]["B3"] = books.OTHER


def other_center_by_its_ids(book):
    del book.book["carmony"]
    book.sheet.delete_rows(FIRST + 1, 20)
    book.fill(1, query_id=books.FOREIGN)


def titles_deleted(book):
    book.sheet.delete_rows(1, 2)


def lines_deleted(book):
    book.sheet.delete_rows(FIRST, 20)


def sheet_deleted(book):
    del book.book[book.sheet.title]


def titles_crossed(book):
    answer, value = (book.sheet.cell(2, AT[code]) for code in ("answer", "corrected_value"))
    answer.value, value.value = value.value, answer.value


def second_column_of_answers(book):
    book.sheet.cell(2, 25).value = "Antwort"
    book.sheet.cell(FIRST, 25).value = "nicht verfügbar"


def note_below(book):
    book.sheet.cell(FIRST + 12, 3).value = WRITTEN


# Damage → code of its one message, lines not taken because of it, answers still taken.
DAMAGE = {
    without_ids: ("NO_ID_COLUMN", 8, 0),
    without_answers: ("NO_ANSWER_COLUMN", 8, 0),
    short_id: ("BAD_ID", 1, 1),
    id_deleted: ("NO_ID", 1, 1),
    unknown_id: ("UNKNOWN_ID", 1, 1),
    foreign_id: ("OTHER_CENTER", 1, 1),
    ids_sorted_without_their_lines: ("OTHER_PATIENT", 1, 1),
    ended_query: ("ENDED", 1, 1),
    candidate: ("NOT_SENT", 1, 1),
    two_answers: ("DIFFERENT_ANSWERS", 2, 1),
    two_answers_below_each_other: ("DIFFERENT_ANSWERS", 2, 0),
    unknown_answer: ("UNKNOWN_ANSWER", 1, 1),
    other_without_words: ("NO_COMMENT", 1, 1),
    comment_without_answer: ("NO_ANSWER", 1, 2),
    correct_but_corrected: ("CONTRADICTION", 1, 1),
    merged_ids: ("MERGED", 1, 1),
    formula: ("FORMULA", 1, 1),
    error_cell: ("FORMULA", 1, 1),
    unreadable_day: ("BAD_DATE", 0, 2),
    month_only: ("BAD_DATE", 0, 2),
    future_day: ("FUTURE_DATE", 0, 2),
    old_format: ("OLD_FORMAT", 2, 0),
    other_study: ("OTHER_STUDY", 2, 0),
    other_center: ("WRONG_CENTER", 2, 0),
    other_center_by_its_ids: ("WRONG_CENTER", 1, 0),
    titles_deleted: ("NO_TITLES", 8, 0),
    lines_deleted: ("EMPTY", 0, 0),
    sheet_deleted: ("NO_QUERIES", 0, 0),
    titles_crossed: ("COLUMNS_CROSSED", 8, 0),
    second_column_of_answers: ("TWO_COLUMNS", 1, 1),
    note_below: ("STRAY_ROW", 1, 2),
}


# Files that cannot be opened at all.


def truncated(path):
    path.write_bytes(path.read_bytes()[:-2000])


def damaged_zip(path):
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 1500 : middle + 1500] = b"\x55" * 3000
    path.write_bytes(content)


def a_letter_in_disguise(path):
    path.write_bytes(b"%PDF-1.7 a letter")


def empty_file(path):
    path.write_bytes(b"")


def zip_in_disguise(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "dear colleague")


def with_macros(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")


def with_password(path):
    name = "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1000 + name + b"\0" * 1000)
