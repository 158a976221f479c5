"""The columns of the workbook of queries: their codes, titles and widths, and the codes of answers.

The codes are what an answered workbook is read by: they stand in the hidden first row of the sheet,
above the titles, so that they move with their columns. `MARKS` stand in a hidden sheet and as document
properties.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.query_frames import ANSWERS

FORMAT = 1  # of the workbook; a later one that is laid out otherwise has a higher number
CODE = "carmony:"  # in front of each code in the hidden row
MARKS_SHEET = "carmony"
MARKS = ("carmony_format", "carmony_study", "carmony_center", "carmony_part", "carmony_lines")


@dataclass(frozen=True, slots=True)
class BookColumn:
    """One column: code, English title, width in characters, and whether the center fills it in."""

    code: str
    title: str
    width: float
    input: bool = False


COLUMNS = (
    BookColumn("query_id", "Query", 13),
    BookColumn("patient", "Patient", 13),
    BookColumn("record", "Visit or line", 20),
    BookColumn("field", "Field", 20),
    BookColumn("file", "File", 20),
    BookColumn("sheet", "Sheet", 12),
    BookColumn("row", "Row", 7),
    BookColumn("column", "Column", 20),
    BookColumn("value", "Value as delivered", 24),
    BookColumn("understood", "How it was read", 20),
    BookColumn("expected", "What was expected", 38),
    BookColumn("question", "Question", 42),
    BookColumn("severity", "Severity", 11),
    BookColumn("days_open", "Days open", 9),
    BookColumn("answer", "Answer", 24, input=True),
    BookColumn("corrected_value", "Corrected value", 20, input=True),
    BookColumn("comment", "Comment", 28, input=True),
    BookColumn("answered_by", "Answered by", 18, input=True),
    BookColumn("answered_on", "Answered on", 14, input=True),
)
CODES = tuple(column.code for column in COLUMNS)
ASKED = tuple(column.code for column in COLUMNS if not column.input)

# Code of an answer → its English words; the other languages stand in schemas/queries/book.yaml.
ANSWER_WORDS = dict(
    zip(
        ANSWERS,
        (
            "corrected in next delivery",
            "value is correct",
            "not available",
            "patient withdrawn",
            "other",
        ),
        strict=True,
    )
)
