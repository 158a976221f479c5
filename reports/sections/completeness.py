"""Completeness by variable and center: a shaded matrix of percentages, and the counts behind it."""

from __future__ import annotations

from reports.figures.completeness_matrix import Variable, completeness_matrix
from reports.sections.model import Block, Figure, Line, Note, Rows, Table

CAPTION = (
    "Percent of the patients whose value is known. The darker a cell, the more is missing; underlined: less than 75%"
    " known; white on dark: less than half."
)


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """Matrix and table."""
    centers = rows.labels(row="N")
    variables = {str(r["row"]): str(r["row_label"]) for r in rows.rows if r["row"] != "N"}
    drawn = [
        Variable(
            label,
            tuple((row["value"], str(row["text"])) for row in rows.of(row=variable)),
        )
        for variable, label in variables.items()
    ]
    sizes = {code: rows.text(row="N", population=code) for code in centers}
    drawing = completeness_matrix(drawn, tuple(centers.values()), rows.heading, name.lower())
    lines = [
        Line(
            label,
            tuple(f"{row['events']}/{row['n']}" for row in rows.of(row=variable)),
        )
        for variable, label in variables.items()
    ]
    head = Line("Patients", tuple(sizes.values()), is_head=True)
    table = Table("Known / patients", tuple(centers.values()), (head, *lines))
    made: tuple[Block, ...] = (Figure(name, drawing if drawn else None, (CAPTION,)), table)
    return (*made, Note(rows.note)) if rows.note else made
