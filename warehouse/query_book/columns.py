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
    BookColumn("patient", "Patient", 11),
    BookColumn("record", "Visit or line", 18),
    BookColumn("field", "Field", 17),
    BookColumn("file", "File", 17),
    BookColumn("sheet", "Sheet", 10),
    BookColumn("row", "Row", 7),
    BookColumn("column", "Column", 17),
    BookColumn("value", "Value as delivered", 22),
    BookColumn("understood", "How it was read", 20),
    BookColumn("expected", "What was expected", 34),
    BookColumn("question", "Question", 38),
    BookColumn("severity", "Severity", 12),
    BookColumn("days_open", "Days open", 8),
    BookColumn("answer", "Answer", 21, input=True),
    BookColumn("corrected_value", "Corrected value", 17, input=True),
    BookColumn("comment", "Comment", 24, input=True),
    BookColumn("answered_by", "Answered by", 15, input=True),
    BookColumn("answered_on", "Answered on", 13, input=True),
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
