"""The workbook of queries: what the center reads is locked, what it fills in is open."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from schemas.queries import Words
from schemas.query_frames import ANSWERED, OPEN
from warehouse.packet_files import MOST_LINES, cut, new_workbook, write_closed
from warehouse.query_book.columns import (
    ANSWER_WORDS,
    ASKED,
    CODE,
    COLUMNS,
    FORMAT,
    MARKS,
    MARKS_SHEET,
)
from warehouse.query_book.cover import About, write_cover

_HEAD = 1  # row of the titles; the hidden row above holds the codes
_ALLOWED = dict.fromkeys(
    (
        "sort",
        "autofilter",
        "format_cells",
        "format_columns",
        "format_rows",
        "select_locked_cells",
        "select_unlocked_cells",
    ),
    True,
)
_FIRST_DAY = dt.date(2000, 1, 1)
_A3 = 8
_LAST_COLUMN = chr(ord("A") + len(COLUMNS) - 1)
_FONT, _LINE = 10, 13.5  # size of the letters and height of a line, in points
_HIGHEST = 405  # Excel's limit is 409 points
_TITLES = {"answer": "Your answer", "comment": "Your comment"}  # of what was answered already


def write_book(lines: pl.DataFrame, about: About, words: Words, out: Path | BytesIO) -> None:
    """Writes the workbook; the same lines give the same bytes.

    Args:
        lines: As `query_book.lines` gives them.
        about: Study, center, number and day of the packet.
        words: With the words of the book (`Words(language, further=BOOK_WORDS)`).
        out: A file, which only its owner will read, or a buffer.
    """
    content = BytesIO()
    asked = lines.filter(pl.col("state") == OPEN)
    book = new_workbook(content, words("Queries about your data"))
    cover = book.add_worksheet(words("Read me"))
    write_cover(book, cover, lines, about, words)
    cover.protect("", _ALLOWED)
    _queries(book, asked, about, words)
    waiting = lines.filter(pl.col("state") == ANSWERED)
    if waiting.height:
        _waiting(book, waiting, about, words)
    _marks(book, about, asked.height)
    book.close()
    if isinstance(out, Path):
        write_closed(out, content.getvalue())
    else:
        out.write(content.getvalue())


class _Formats:
    """The formats of the cells, made once per workbook."""

    def __init__(self, book: Any) -> None:
        base = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#BFBFBF"}
        base["font_size"] = _FONT
        yellow = {**base, "bg_color": "#FFF8D6", "locked": False}
        head = {**base, "bold": True, "valign": "vcenter"}
        self.code = book.add_format({"font_color": "#808080"})
        self.head = book.add_format({**head, "bg_color": "#DCE6F1"})
        self.head_in = book.add_format({**head, "bg_color": "#FFE699"})
        self.text = book.add_format({**base, "quote_prefix": True})
        self.number = book.add_format({**base, "num_format": "0", "align": "center"})
        self.error = book.add_format(
            {**base, "quote_prefix": True, "bold": True, "font_color": "#9C0006"}
        )
        self.day = book.add_format({**base, "num_format": "yyyy-mm-dd"})
        self.text_in = book.add_format({**yellow, "num_format": "@"})
        self.day_in = book.add_format({**yellow, "num_format": "yyyy-mm-dd"})
        self.free = book.add_format({"font_size": 14, "bold": True})


def _queries(book: Any, asked: pl.DataFrame, about: About, words: Words) -> None:
    sheet, formats = book.add_worksheet(words("Queries")), _Formats(book)
    shown = asked.head(MOST_LINES)
    for position, column in enumerate(COLUMNS):
        sheet.set_column(position, position, column.width)
        sheet.write_string(0, position, CODE + column.code, formats.code)
        form = formats.head_in if column.input else formats.head
        sheet.write_string(_HEAD, position, words(column.title), form)
    sheet.set_row(0, None, None, {"hidden": True})
    sheet.set_row(_HEAD, 2.3 * _LINE)
    if shown.is_empty():
        none = "There are no open queries for your center. Nothing is to be done."
        sheet.write_string(_HEAD + 2, 1, words(none), formats.free)
    _rows(sheet, shown, ASKED, formats, words)
    last = _HEAD + max(shown.height, 1)
    for position, column in enumerate(COLUMNS):
        if column.input and shown.height:
            form = formats.day_in if column.code == "answered_on" else formats.text_in
            for row in range(_HEAD + 1, last + 1):
                sheet.write_blank(row, position, None, form)
    if shown.height:
        _lists(sheet, last, about, words)
    _finish(sheet, last, about)


def _lists(sheet: Any, last: int, about: About, words: Words) -> None:
    """The list of answers, and days as days."""
    codes = [column.code for column in COLUMNS]
    answer, day = codes.index("answer"), codes.index("answered_on")
    choose = words("Choose an answer from the list")
    sheet.data_validation(
        _HEAD + 1,
        answer,
        last,
        answer,
        {
            "validate": "list",
            "source": [words(text) for text in ANSWER_WORDS.values()],
            "error_title": words("Answer"),
            "error_message": choose,
        },
    )
    example = about.on.isoformat()
    sheet.data_validation(
        _HEAD + 1,
        day,
        last,
        day,
        {
            "validate": "date",
            "criteria": ">=",
            "value": _FIRST_DAY,
            "error_title": words("Answered on"),
            "error_message": words("Please write a date, for example {example}", example=example),
        },
    )


def _waiting(book: Any, waiting: pl.DataFrame, about: About, words: Words) -> None:
    """What was answered already: nothing to fill in, and no codes, so that it is not read again."""
    sheet, formats = book.add_worksheet(words("Waiting for your next delivery")), _Formats(book)
    for position, column in enumerate(COLUMNS):
        sheet.set_column(position, position, column.width)
        title = words(_TITLES.get(column.code, column.title))
        sheet.write_string(_HEAD, position, title, formats.head)
    sheet.set_row(0, None, None, {"hidden": True})
    sheet.set_row(_HEAD, 2.3 * _LINE)
    _rows(sheet, waiting.head(MOST_LINES), tuple(c.code for c in COLUMNS), formats, words)
    _finish(sheet, _HEAD + min(waiting.height, MOST_LINES), about)


def _rows(
    sheet: Any, lines: pl.DataFrame, codes: tuple[str, ...], formats: _Formats, words: Words
) -> None:
    note = words(" … (cut; whole in queries.csv)")
    kept = {"days_open", "answered_on"}
    cells = lines.select("severity_code", *(c if c in kept else cut(c, note) for c in codes))
    write, number = sheet.write_string, sheet.write_number
    blank, text = sheet.write_blank, formats.text
    severity = codes.index("severity")
    heights = _heights(cells).to_list()
    for row, (code, *values) in enumerate(cells.iter_rows(), start=_HEAD + 1):
        sheet.set_row(row, heights[row - _HEAD - 1])
        for position, value in enumerate(values):
            if value is None or value == "":
                blank(row, position, None, text)
            elif isinstance(value, str):
                worst = position == severity and code == "error"
                write(row, position, value, formats.error if worst else text)
            elif isinstance(value, int):
                number(row, position, value, formats.number)
            else:
                sheet.write_datetime(row, position, value, formats.day)


def _heights(cells: pl.DataFrame) -> pl.Series:
    """The height of each row in points, by its longest cell: not every program finds it by itself."""
    n_lines = [
        (pl.col(column.code).str.len_chars() / (1.06 * column.width)).ceil()
        + pl.col(column.code).str.count_matches("\n", literal=True)
        for column in COLUMNS
        if cells.schema.get(column.code) == pl.String
    ]
    most = pl.max_horizontal(*n_lines).fill_null(1).clip(1)
    return cells.select((most * _LINE + 3).clip(upper_bound=_HIGHEST)).to_series()


def _finish(sheet: Any, last: int, about: About) -> None:
    """Filters, frozen titles and ids, protection without a password, and how it is printed."""
    sheet.freeze_panes(_HEAD + 1, 2)
    sheet.autofilter(_HEAD, 0, last, len(COLUMNS) - 1)
    # Ids and rows are text on purpose: no mark in the corner of each cell.
    sheet.ignore_errors({"number_stored_as_text": f"A1:{_LAST_COLUMN}{last + 1}"})
    sheet.protect("", _ALLOWED)
    sheet.set_landscape()
    sheet.set_paper(_A3)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEAD)
    # & starts a code in a footer.
    left = f"{about.study} · {about.center_id} · {about.part}".replace("&", "&&")
    sheet.set_footer(f"&L{left}&R&P / &N")


def _marks(book: Any, about: About, n_lines: int) -> None:
    """What an answered workbook is recognised by: a hidden sheet, and document properties beside it."""
    values = (str(FORMAT), about.study, about.center_id, str(about.part), str(n_lines))
    sheet = book.add_worksheet(MARKS_SHEET)
    for row, (name, value) in enumerate(zip(MARKS, values, strict=True)):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)
        book.set_custom_property(name, value, "text")
    sheet.protect("")
    sheet.hide()
