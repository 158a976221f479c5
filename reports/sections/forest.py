"""A forest of hazard ratios: figure with the numbers beside the bars, table, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.figures.forest_plot import Heads, Ratio, forest_plot
from reports.sections.model import Block, Figure, Line, Note, Rows, Table

OVERALL = "OVERALL"
INTERACTION = ("p_interaction", "p_interaction_holm")
FOOT = (
    "Each hazard ratio is from a Cox model of that subgroup alone. P within a subgroup says nothing about a "
    "difference between subgroups: that is the P of the interaction (likelihood ratio test; in brackets adjusted "
    "by Holm over all variables).",
)
# Words that a text of the display holds → what explains them.
SIGNS = {
    ("†",): "†: an arm has too few patients or events, descriptive only.",
    ("NE:", "not estimable"): "NE: not estimable.",
}


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """The figure, a table of the same numbers, and notes."""
    if not rows.of(statistic="hr"):
        return (Note(" ".join(row["text"] for row in rows.of(row="WARNING"))),)
    arms = _arms(rows)
    heads = Heads(
        (arms[1][1], arms[0][1]), "events/n", "Hazard ratio (95% CI)", "Interaction P (Holm)"
    )
    codes = (arms[1][0], arms[0][0])
    ratios = list(_ratios(rows, codes))
    drawing = forest_plot(ratios, heads, rows.heading, name.lower())
    texts = " ".join(str(row["text"]) for row in rows.rows)
    signs = (words for parts, words in SIGNS.items() if any(part in texts for part in parts))
    caption = (
        *FOOT,
        *signs,
        *_left_out(rows),
        *(str(row["text"]) for row in rows.of(row="WARNING")),
    )
    made: list[Block] = [Figure(name, drawing, caption), _table(rows, codes, heads)]
    return (*made, *([Note(rows.note)] if rows.note else []))


def _arms(rows: Rows) -> list[tuple[str, str]]:
    """Code and label of the arms, the reference first."""
    found = rows.of(row=OVERALL, statistic="n")
    return [(str(row["population"]), str(row["population_label"])) for row in found]


def _ratios(rows: Rows, arms: tuple[str, str]) -> Iterator[Ratio]:
    names = dict.fromkeys(row["row"] for row in rows.of(statistic="hr"))
    for name in names:
        found = rows.of(row=name, statistic="hr")
        if name == OVERALL:
            yield _ratio(rows, found[0], arms, str(found[0]["row_label"]), is_overall=True)
            continue
        yield Ratio(str(found[0]["row_label"]), p=_interaction(rows, name), is_head=True)
        for row in found:
            yield _ratio(rows, row, arms, str(row["level_label"]))
        unknown = rows.one(row=name, statistic="n_missing")
        if unknown and unknown["value"]:
            yield Ratio(f"Not known: {unknown['text']}")


def _ratio(
    rows: Rows, row: dict[str, Any], arms: tuple[str, str], label: str, *, is_overall: bool = False
) -> Ratio:
    return Ratio(
        label, row["value"], row["lower"], row["upper"], str(row["text"]), _arm_texts(rows, row, arms),
        is_overall=is_overall,
    )  # fmt: skip


def _interaction(rows: Rows, name: str) -> str:
    raw = rows.text(row=name, statistic="p_interaction")
    holm = rows.text(row=name, statistic="p_interaction_holm")
    return f"{raw} ({holm})" if holm else raw.replace("not estimable", "NE")


def _left_out(rows: Rows) -> Iterator[str]:
    for row in rows.of(row="DROPPED"):
        if row["value"]:
            yield f"Left out: {row['text']} ({row['level_label']})."
    overall = rows.one(row=OVERALL, statistic="hr")
    if overall:
        events = "1 event" if overall["events"] == 1 else f"{overall['events']} events"
        yield f"All patients: {events} in {overall['n']} patients."


def _table(rows: Rows, arms: tuple[str, str], heads: Heads) -> Table:
    lines: list[Line] = []
    for name in dict.fromkeys(row["row"] for row in rows.of(statistic="hr")):
        found = rows.of(row=name, statistic="hr")
        if name != OVERALL:
            texts = [rows.text(row=name, statistic=kind) for kind in INTERACTION]
            lines.append(Line(str(found[0]["row_label"]), ("", "", "", *texts), is_head=True))
        for row in found:
            label = row["level_label"] or row["row_label"]
            counted = _arm_texts(rows, row, arms)
            cells = (*counted, str(row["text"]), "", "")
            lines.append(Line(str(label), cells, is_level=name != OVERALL))
    over = (f"{arm}, {heads.events}" for arm in heads.arms)
    return Table(
        "Subgroup", (*over, heads.ratio, "Interaction P", "Adjusted by Holm"), tuple(lines)
    )


def _arm_texts(rows: Rows, row: dict[str, Any], arms: tuple[str, str]) -> tuple[str, str]:
    place = {"row": row["row"], "level": row["level"], "statistic": "n"}
    return (rows.text(**place, population=arms[0]), rows.text(**place, population=arms[1]))
