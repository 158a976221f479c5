"""Lines after the first salvage: an alluvial drawing and the counts by first salvage."""

from __future__ import annotations

from markupsafe import Markup

from reports.figures.alluvial import Band, Node, alluvial
from reports.sections.model import Block, Figure, Line, Note, Rows, Table, column_notes, marked

ENDS = ("ALIVE", "DIED", "UNKNOWN", "MORE")
CAPTION = (
    "Each band: patients from one line to the next, colored by their first salvage and always in that order from top"
    " to bottom. Open boxes: no further line."
)


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """Figure, table, and what the counts mean."""
    if missing := rows.text(row="not_run"):
        return (Note(f"{missing} {rows.note}".strip()),)
    left_out = rows.one(row="excluded")
    caption = [CAPTION]
    if left_out and left_out["value"]:
        caption.append(f"{left_out['row_label']}: {left_out['text']}.")
    made: list[Block] = [
        Figure(name, _drawing(name, rows), tuple(caption), "No lines."),
        _table(rows),
    ]
    meaning = (
        "n (% of the patients of the first salvage). A line is classed by its drugs as the first salvage is;"
        " lines without an anti-myeloma drug are no lines. Died, alive: at the data cut."
    )
    return (*made, Note(" ".join([meaning, *column_notes(rows), rows.note]).strip()))


def _drawing(name: str, rows: Rows) -> Markup | None:
    nodes, stages = [], {}
    for row in rows.of(row="node"):
        place, _, code = str(row["level"]).partition("|")
        stages[int(place)] = str(row["row_label"])
        nodes.append(
            Node(int(place) - 1, code, str(row["level_label"]), int(row["value"]), code in ENDS)
        )
    if not nodes:
        return None
    bands = []
    for row in rows.of(row="step"):
        place, start, end = str(row["level"]).split("|")
        bands.append(Band(int(place) - 1, start, end, str(row["population"]), int(row["value"])))
    kinds = {code: label for code, label in rows.labels(row="patients").items() if code != "ALL"}
    return alluvial(nodes, bands, list(stages.values()), kinds, rows.heading, name.lower())


def _table(rows: Rows) -> Table:
    """What followed by first salvage; a column a group."""
    groups = rows.labels(row="patients")
    lines = []
    for name in ("patients", "further", "third"):
        found = rows.of(row=name)
        lines.append(
            Line(
                str(found[0]["row_label"]),
                tuple(str(row["text"]) for row in found),
                is_head=name == "patients",
            )
        )
    places = dict.fromkeys(
        str(row["row"]) for row in rows.rows if str(row["row"]).startswith("line_")
    )
    for place in places:
        mine = rows.of(row=place)
        lines.append(Line(str(mine[0]["row_label"]), ("",) * len(groups), is_head=True))
        for level in dict.fromkeys(row["level"] for row in mine):
            cells = tuple(rows.text(row=place, level=level, population=code) for code in groups)
            lines.append(
                Line(str(rows.of(row=place, level=level)[0]["level_label"]), cells, is_level=True)
            )
    heads = tuple(marked(rows, code, label) for code, label in groups.items())
    return Table("", heads, tuple(lines))
