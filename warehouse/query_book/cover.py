"""The first sheet of the workbook of queries: what to do, how much there is, and what happens next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.queries import Words
from schemas.query_frames import ANSWERED, OPEN
from schemas.rules import SEVERITIES
from warehouse.packet_files import MOST_LINES
from warehouse.packet_lines import QUOTED
from warehouse.query_book.columns import ANSWER_WORDS

_ANSWERS = {
    "corrected": "The value is wrong. Correct it in your own data; you may also write the right value here. "
    "Nothing that is written here goes into the data: only your next delivery does.",
    "correct": "The value is right as you sent it. You are not asked again unless the value changes.",
    "not_available": "Nobody can find it out any more.",
    "patient_withdrawn": "The patient leaves the study; take the patient out of your next delivery.",
    "other": "Anything else. Please say it in the comment.",
}
_NEXT = (
    "A question is settled when your next delivery holds a value that fits, or when your answer says "
    "that the value is right or not available. If the delivery still holds the same value, you are "
    "asked again."
)
_CELLS = (
    "The value as delivered is the text of your cell, unchanged; it is empty where the cell was empty. "
    "A question about several cells names each of them."
)
_PRIVATE = (
    "This workbook holds ids and values of your patients. Keep it inside your hospital, send it only "
    "by the agreed way, and write no names of patients into the comments."
)
_STEPS = (
    "1. Open the sheet “{sheet}”. Each line is one question about one entry of your data.",
    "2. Look the value up in your records. File, sheet, row and column say where it stands in your "
    "own file.",
    "3. Choose an answer from the list in the yellow column. Only the yellow cells can be filled in.",
    "4. Save the workbook and send it back the way it came. Lines without an answer stay open.",
    "You can filter as you like. To sort, first take the protection off (no password is needed). "
    "Please leave the query numbers as they are.",
)


@dataclass(frozen=True, slots=True)
class About:
    """What a workbook is about.

    `part` is the number of the packet (the part of the log by which it is sent), `received_on` the
    days on which the deliveries came that the questions are about.
    """

    study: str
    title: str
    center_id: str
    part: int
    on: dt.date
    received_on: tuple[dt.date, ...] = ()


def write_cover(book: Any, sheet: Any, lines: pl.DataFrame, about: About, words: Words) -> None:
    """Fills the sheet.

    Args:
        book: The workbook, for formats.
        sheet: Its empty first sheet.
        lines: As `query_book.lines` gives them.
        about: What stands at the top.
        words: Of the language.
    """
    cover = _Cover(book, sheet)
    asked = lines.filter(pl.col("state") == OPEN)
    cover.title(words("Queries about your data"))
    days = ", ".join(day.isoformat() for day in about.received_on)
    for name, text in (
        ("Study", f"{about.study}: {about.title}"),
        ("Center", about.center_id),
        ("Packet", str(about.part)),
        ("Written on", about.on.isoformat()),
        ("About the delivery of", days or words("not known")),
    ):
        cover.pair(words(name), text)
    cover.heading(words("Summary"))
    _summary(cover, asked, words)
    if asked.height:
        cover.heading(words("How to answer"))
        for step in _STEPS:
            cover.sentence(words(step, sheet=words("Queries")))
        cover.heading(words("The five answers"))
        for code, text in _ANSWERS.items():
            cover.pair(words(ANSWER_WORDS[code]), words(text))
    n_waiting = lines.filter(pl.col("state") == ANSWERED).height
    if lines.height:
        cover.heading(words("What happens next"))
        cover.sentence(words(_NEXT))
    if n_waiting:
        waiting = words("Waiting for your next delivery")
        text = "{n} question(s) that you have answered stand on the sheet “{sheet}”."
        cover.sentence(words(text, n=n_waiting, sheet=waiting))
    if asked.height:
        cover.heading(words("How the cells are meant"))
        cover.sentence(words(_CELLS))
        safe = "queries.csv holds the same lines; its column “{quoted}” names cells that were made safe so."
        cover.sentence(words(safe, quoted=words(QUOTED)))
    if lines.height:
        cover.heading(words("Privacy"))
        cover.sentence(words(_PRIVATE))


def _summary(cover: _Cover, asked: pl.DataFrame, words: Words) -> None:
    if asked.is_empty():
        cover.sentence(words("There are no open queries for your center. Nothing is to be done."))
        return
    n, shown = asked.height, min(asked.height, MOST_LINES)
    more = "{n}, of which {shown} in this workbook; all are in queries.csv"
    cover.pair(words("Open queries"), words(more, n=n, shown=shown) if shown < n else str(n))
    counts = dict(asked.group_by("severity_code").len().iter_rows())
    for severity in SEVERITIES:
        if counts.get(severity):
            cover.pair(f"    {words(severity)}", str(counts[severity]))
    oldest = asked["days_open"].max()
    if oldest is not None:
        cover.pair(words("Oldest"), words("{n} day(s)", n=oldest))
    titles = [words(title) for title in ("Rule", "Severity", "Count", "Oldest (days)")]
    cover.table(titles, _by_rule(asked))


def _by_rule(asked: pl.DataFrame) -> list[tuple[str, str, str, str]]:
    """Rule, its worst severity, lines and oldest days; most lines first."""
    grouped = (
        asked.select("severity", "severity_code", "days_open", "rules")
        .explode("rules")
        .unnest("rules")
        .sort(pl.col("severity_code").cast(pl.Enum(SEVERITIES)))
        .group_by("rule_id", maintain_order=True)
        .agg(pl.col("title", "severity").first(), pl.len().alias("n"), pl.col("days_open").max())
        .sort("n", "rule_id", descending=[True, False])
    )
    return [
        (f"{rule}  {title}", severity, str(n), "" if days is None else str(days))
        for rule, title, severity, n, days in grouped.iter_rows()
    ]


class _Cover:
    """Writes one sheet from top to bottom."""

    def __init__(self, book: Any, sheet: Any) -> None:
        self.sheet, self.row = sheet, 0
        base = {"valign": "top", "text_wrap": True}
        self.bold = book.add_format({**base, "bold": True})
        self.text = book.add_format({**base, "quote_prefix": True})
        self.big = book.add_format({"bold": True, "font_size": 18, "font_color": "#1F3A5F"})
        self.head = book.add_format(
            {"bold": True, "font_size": 12, "font_color": "#1F3A5F", "bottom": 1}
        )
        self.top = book.add_format({**base, "bold": True, "bg_color": "#DCE6F1", "border": 1})
        self.cell = book.add_format({**base, "border": 1, "quote_prefix": True})
        sheet.hide_gridlines(2)
        for column, width in enumerate((34, 56, 14, 10, 22)):
            sheet.set_column(column, column, width)
        sheet.set_portrait()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)

    def title(self, text: str) -> None:
        self.sheet.set_row(self.row, 28)
        self.sheet.write_string(self.row, 0, text, self.big)
        self.row += 1

    def heading(self, text: str) -> None:
        self.row += 1
        for column in range(5):
            self.sheet.write_blank(self.row, column, None, self.head)
        self.sheet.write_string(self.row, 0, text, self.head)
        self.row += 1

    def pair(self, name: str, text: str) -> None:
        self.sheet.write_string(self.row, 0, name, self.bold)
        self._wide(1, text)

    def sentence(self, text: str) -> None:
        self._wide(0, text)

    def table(self, titles: list[str], rows: list[tuple[str, str, str, str]]) -> None:
        self.row += 1
        for number, row in enumerate([tuple(titles), *rows]):
            form = self.cell if number else self.top
            self.sheet.merge_range(self.row, 0, self.row, 1, row[0], form)
            for column, text in enumerate(row[1:], start=2):
                self.sheet.write_string(self.row, column, text, form)
            self.row += 1

    def _wide(self, column: int, text: str) -> None:
        """Text over all columns to the right. Merged cells do not grow by themselves."""
        width = 105 if column else 145
        lines = sum(-(-max(len(part), 1) // width) for part in text.split("\n"))
        self.sheet.merge_range(self.row, column, self.row, 4, "", self.text)
        self.sheet.write_string(self.row, column, text, self.text)
        self.sheet.set_row(self.row, 15.5 * lines)
        self.row += 1
