"""Best response by group: a stacked bar a group, and the numbers behind it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from reports.figures.stacked_bar import Bar, stacked_bar
from reports.sections.model import (
    Block,
    Figure,
    Line,
    Note,
    Rows,
    Table,
    column_notes,
    holds,
    marked,
    p_words,
)  # fmt: skip

SPARSE = "†"


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """Figure and table."""
    figure = Figure(name, response_figure(rows, name), (response_caption(rows),))
    table = response_table(rows)
    told = [sentences.get("response", "")]
    if holds([table], SPARSE):
        told.append(sentences.get("sparse", ""))
    return (figure, table, Note(" ".join([*told, *column_notes(rows), rows.note]).strip()))


def response_table(rows: Rows) -> Table:
    """The numbers behind figure 1A."""
    populations = rows.labels(row="BESTRESP", statistic="n")
    lines = []
    for level in dict.fromkeys(row["level"] for row in rows.of(row="BESTRESP", statistic="n")):
        counted = rows.of(row="BESTRESP", level=level, statistic="n")
        label = str(counted[0]["level_label"])
        lines.append(Line(label, (*(str(row["text"]) for row in counted), "")))
    for name, statistic in (("ORR", "percent"), ("CRR", "percent"), ("NOT_ASSESSED", "n")):
        found = rows.of(row=name, statistic=statistic)
        p = rows.text(row=name, statistic="p")
        cells = (*(str(row["text"]) for row in found), p)
        lines.append(Line(str(found[0]["row_label"]), cells, is_head=name == "ORR"))
    heads = (marked(rows, code, label) for code, label in populations.items())
    return Table("", (*heads, "P"), tuple(lines))


def response_figure(rows: Rows, name: str) -> Markup:
    """Figure 1A: a stacked bar a group, with the overall response rate at its end."""
    populations = rows.labels(row="BESTRESP", statistic="n")
    bars = []
    for code, label in populations.items():
        shares = rows.of(row="BESTRESP", statistic="percent", population=code)
        rate = rows.one(row="ORR", statistic="percent", population=code)
        bars.append(
            Bar(
                marked(rows, code, label),
                tuple(row["value"] or 0.0 for row in shares),
                tuple(f"{row['text']}%" for row in shares),
                _rate_text(rate),
            )
        )
    classes = [
        str(row["level_label"])
        for row in rows.of(row="BESTRESP", statistic="percent", population=next(iter(populations)))
    ]
    return stacked_bar(bars, classes, rows.heading or "Best response by group", name.lower())


def _rate_text(rate: dict[str, Any] | None) -> str:
    if not rate or rate["value"] is None:
        return "no patients"
    return f"ORR {str(rate['text']).split(' ')[0]}"


def response_caption(rows: Rows) -> str:
    """What the figure says, in words."""
    best, overall = (rows.text(row=name, statistic="p") for name in ("BESTRESP", "ORR"))
    return (
        f"ORR: overall response rate. Best response by group {p_words(best)};"
        f" overall response by group {p_words(overall)}."
    )
