"""What an external report says of itself, and its printed cells as rows."""

from __future__ import annotations

from typing import Any

from reports.sections.model import Bullets, Section, Table


def told(threshold: int, left_out: list[str]) -> tuple[Bullets, ...]:
    """What is withheld by which rule, and which displays are left out."""
    rules = (
        f"Counts from 1 to {threshold - 1} are withheld, and as many others as it takes that none of them can be"
        " computed from totals, other cells or percentages; which of both a withheld count is, is not told.",
        "Where a count is withheld, so are the percentages of its column and the test of its variable.",
        "Numbers have no smallest and no largest value. Hazard ratios stand without counts, and are withheld where a"
        f" level has fewer than {threshold} patients with or without the event.",
    )
    return (Bullets((*rules, *left_out)),)


def printed_cells(sections: list[Section]) -> list[dict[str, Any]]:
    """Every printed cell as a row, for the files of numbers."""
    return [
        {
            "display": section.id,
            "table": block.caption,
            "row": line.label,
            "column": head,
            "text": cell,
        }
        for section in sections
        for block in section.blocks
        if isinstance(block, Table)
        for line in block.lines
        for head, cell in zip(block.heads, line.cells, strict=True)
    ]
