"""What can be wrong with a returned workbook, in words: code → problem and what to do.

Texts name places, kinds and numbers, never a value of a patient or an answer as written.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import FileError, Place
from schemas.query_frames import ANSWERS


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what was expected, and what to do.

    Attributes:
        code: Key of `TEXTS`, or a code of a `FileError`.
        place: File, sheet, row (1-based) and column, as far as it has one.
        problem: What was found and what was expected.
        fix: What to do.
        n_lines: Lines whose answer was not taken because of it; 0 means a remark, the answer counts.
        query_ids: The queries concerned.
    """

    code: str
    place: Place
    problem: str
    fix: str
    n_lines: int = 0
    query_ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        ids = f" ({' '.join(self.query_ids)})" if self.query_ids else ""
        return f"{self.place}{ids}: {self.problem} [{self.code}]\n  Fix: {self.fix}"


_FIVE = "one of the five answers of the list"
_AGAIN = "ask the center to answer in the newest workbook (carmony queries STUDY send writes it)"
_CELL = "type the answer as plain text in that cell, and import the file again"

TEXTS: dict[str, tuple[str, str]] = {
    # The whole file
    "EMPTY": (
        "the sheet of queries holds no lines under its titles",
        "ask the center for the workbook with its answers",
    ),
    "NO_QUERIES": (
        "no sheet of queries: no titles of a query and its answer, and no query ids, in any sheet",
        "ask the center to send back the workbook that it was sent",
    ),
    "NO_TITLES": (
        "{n} row(s) hold ids of queries, but no row above them holds the titles of the columns",
        "put the row with the titles (Query, Answer, ...) back above the lines",
    ),
    "NO_ID_COLUMN": (
        "there are titles of answers, but no column of query ids (title 'Query', cells 'Q-...')",
        "copy the answers into the workbook as it was sent, which has the ids in its first column",
    ),
    "NO_ANSWER_COLUMN": (
        "there are query ids, but no column of answers (title 'Answer')",
        "give the column of answers its title back",
    ),
    "COLUMNS_CROSSED": (
        "the hidden codes and the visible titles of a column contradict each other",
        "cells were moved without their column; give each column one title, and delete hidden row 1",
    ),
    "OLD_FORMAT": (
        "the workbook is of format '{found}'; this version reads format {expected}",
        _AGAIN,
    ),
    "OTHER_STUDY": (
        "the workbook belongs to another study",
        "put it into the answers folder of its own study",
    ),
    "WRONG_CENTER": (
        "the workbook holds queries of another center than the folder in which it lies",
        "move it to answers/<center>/ of the center that it belongs to",
    ),
    "CENTER_UNKNOWN": (
        "neither folder nor workbook say of one center whose answers these are",
        "put the file into answers/<center>/",
    ),
    "NO_SUCH_CENTER": (
        "the folder is named like no center of the study",
        "name it like the center's spec in centers/, without .yaml",
    ),
    "WITHDRAWN_FILE": (
        "the file names a patient who has withdrawn, or may do so in what could not be read; of its lines only "
        "those of other patients are kept",
        "delete the file, also where it came from: the other answers are taken; if something in it could not be "
        "read, mend that first and import it again",
    ),
    # A line
    "CONTROL_CHAR": (
        "the row holds control characters or invisible marks, and was not read",
        "retype its cells (copied text brings such marks), and import the file again",
    ),
    "NOT_A_RECORD": (
        "the row cannot be told apart into cells: {what}",
        "save the file again as a workbook, or mend the row's quotes and delimiters",
    ),
    "NO_ID": (
        "an answer without a query id",
        "copy the id of the query (Q-...) into the first column of the row",
    ),
    "BAD_ID": (
        "the cell of the query id holds no id: 'Q-' and eight letters or digits are expected",
        "copy the id from the workbook as it was sent",
    ),
    "STRAY_ROW": (
        "a row without query id and without answer; its text is not an answer to any query",
        "look whether the center told something there, and settle it with the center",
    ),
    "MERGED": (
        "the cell is merged with others, so that it is not said which line the answer is for",
        "undo the merging and answer each line by itself",
    ),
    "FORMULA": (
        "the cell holds a formula without a result, or an error of the spreadsheet",
        _CELL,
    ),
    "TWO_COLUMNS": (
        "two columns of this title hold different things in this row",
        "leave one of them, and import the file again",
    ),
    "NO_ANSWER": (
        f"a corrected value or comment without an answer; {_FIVE} is expected",
        "choose the answer from the list",
    ),
    "UNKNOWN_ANSWER": (
        f"a text of {{length}} characters that is not {_FIVE} ({', '.join(ANSWERS)})",
        "choose the answer from the list, and put further words into the comment",
    ),
    "NO_COMMENT": (
        "the answer 'other' says nothing without a comment",
        "ask the center for its comment",
    ),
    "CONTRADICTION": (
        "the answer says that nothing is corrected, but a corrected value is given",
        "ask the center which holds; a corrected value goes with 'corrected in next delivery'",
    ),
    "UNKNOWN_ID": (
        "no query of this study has this id",
        "compare the id with the workbook as it was sent; it may be mistyped or of another study",
    ),
    "WITHDRAWN": (
        "about a patient who has withdrawn; nothing of it is kept",
        "nothing; do not ask the center about it",
    ),
    "WITHDRAWN_ALIKE": (
        "no query of this study has this id, and the patient's is spelled almost like that of one who has "
        "withdrawn; nothing of it is kept",
        "if it is another patient: carmony forget STUDY CENTER - --another-patient, and import the file again",
    ),
    "WITHDRAWN_NAMED": (
        "a cell that the center filled in names a patient who has withdrawn; nothing of the line is kept",
        "ask the center to answer without naming that patient",
    ),
    "OTHER_CENTER": (
        "the query belongs to another center",
        "remove the line; only the center itself answers its queries",
    ),
    "OTHER_PATIENT": (
        "the line names another patient than its query is about",
        "ids and answers were perhaps sorted apart: ask the center to answer in the workbook anew",
    ),
    "NOT_SENT": (
        "the query was not released to the center",
        "release it (carmony queries STUDY release), so that the next workbook asks for it",
    ),
    "ENDED": (
        "the query is {state} already ({resolution})",
        "nothing, if the center agrees; a new value comes with its next delivery",
    ),
    "VALUE_CHANGED": (
        "the center delivered another value after this workbook was written",
        "send the newest workbook; the answer to the old value says nothing about the new one",
    ),
    "DIFFERENT_ANSWERS": (
        "the query has different answers in rows {rows}; none of them is taken",
        "ask the center which holds, delete the other, and import the file again",
    ),
    "NOT_TAKEN": (
        "the log of queries does not take the answer: {what}",
        "look at the query (carmony queries STUDY list), and settle it with the center",
    ),
    # Remarks: the answer counts
    "BAD_DATE": (
        "the day of the answer cannot be read; a date such as 2024-03-31 is expected",
        "nothing is lost: the answer counts, without its day",
    ),
    "FUTURE_DATE": (
        "the day of the answer lies in the future",
        "nothing is lost: the answer counts, without its day",
    ),
    "FORMULA_READ": (
        "{what}",
        "nothing, if these cells show what the center meant",
    ),
}

# What a file's fault means here; the readers' own advice is about deliveries.
FILE_FIXES = {
    "ENCRYPTED": "ask the center to save it without a password (or send it by a secure way without one)",
    "CORRUPT": "ask the center to send the file again",
    "TRUNCATED": "the upload broke off; ask the center to send the file again",
    "TOO_LARGE": "ask the center for the workbook that it was sent, without further tables",
    "DUPLICATE_COLUMN": "give each column one title, or send the workbook (.xlsx) instead of the CSV",
    "CHANGING": "wait until the file is written, then import again",
    "NO_ROWS": "ask the center for the workbook with its answers",
}
_FILE_FIX = "ask the center for the workbook as .xlsx, .ods or .csv"


def told(
    code: str,
    place: Place,
    n_lines: int = 0,
    query_ids: tuple[str, ...] = (),
    **values: object,
) -> Problem:
    """The problem of a code, with its texts filled in."""
    problem, fix = TEXTS[code]
    return Problem(code, place, problem.format(**values), fix, n_lines, query_ids)


def of_file(error: FileError) -> Problem:
    """A file that cannot be read, as the readers tell it."""
    text = error.message.removeprefix(f"{error.place}: ").removesuffix(f" [{error.code}]")
    return Problem(error.code, error.place, text, FILE_FIXES.get(error.code, _FILE_FIX))
