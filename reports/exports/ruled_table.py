"""A table with three rules in a Word document: above and below the heads, and at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.sections.model import Table

FEW = 6  # columns of numbers that have room in 8.5 points
MANY = 10
TEXT_MM = 170.0


def add_table(document: Any, table: Table, words: Callable[[str], str]) -> None:
    """Adds a table; `words` gives the text of a cell as it is to be printed."""
    from docx.enum.table import WD_TABLE_ALIGNMENT

    if table.caption:
        caption = document.add_paragraph()
        caption.add_run(words(table.caption)).bold = True
        caption.paragraph_format.keep_with_next = True
    wide = len(table.heads)
    made = document.add_table(rows=len(table.lines) + 1, cols=wide + 1)
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    size = 8.5 if wide <= FEW else 7.0 if wide <= MANY else 6.0
    grid = [list(row.cells) for row in made.rows]
    _widths(made, grid, table)
    for cell, text in zip(grid[0], [table.corner, *table.heads], strict=True):
        _fill(cell, words(text), size, bold=True, left=cell is grid[0][0])
    for cells, line in zip(grid[1:], table.lines, strict=True):
        _fill(cells[0], words(line.label), size, bold=line.is_head, indent=line.is_level, left=True)
        for cell, text in zip(cells[1:], line.cells, strict=True):
            _fill(cell, words(text), size)
    _rule(grid[0], "top", 12)
    _rule(grid[0], "bottom", 6)
    _rule(grid[-1], "bottom", 12)
    _repeat_heads(made)
    document.add_paragraph().paragraph_format.space_after = 0


def _widths(made: Any, grid: list[list[Any]], table: Table) -> None:
    from docx.shared import Mm

    longest = max([len(table.corner), *(len(line.label) for line in table.lines)])
    most = 62.0 if len(table.heads) <= FEW else 42.0
    first = min(most, max(28.0, longest * 1.75))
    rest = (TEXT_MM - first) / max(1, len(table.heads))
    if len(table.heads) <= 2:
        rest = min(rest, 55.0)
    for index, column in enumerate(made.columns):
        column.width = Mm(first if index == 0 else rest)
    for cells in grid:
        for index, cell in enumerate(cells):
            cell.width = Mm(first if index == 0 else rest)


def _fill(
    cell: Any,
    text: str,
    size: float,
    *,
    bold: bool = False,
    indent: bool = False,
    left: bool = False,
) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm, Pt

    paragraph = cell.paragraphs[0]
    run = paragraph.add_run(text)
    run.font.size, run.bold = Pt(size), bold or None
    form = paragraph.paragraph_format
    form.space_after, form.space_before = Pt(1), Pt(1)
    if indent:
        form.left_indent = Mm(3)
    if not left:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _rule(cells: list[Any], edge: str, eighths: int) -> None:
    """A line at an edge of every cell of a row, its weight in eighths of a point."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for cell in cells:
        properties = cell._tc.get_or_add_tcPr()
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = OxmlElement("w:tcBorders")
            properties.append(borders)
        line = OxmlElement(f"w:{edge}")
        for key, value in (
            ("val", "single"),
            ("sz", str(eighths)),
            ("space", "0"),
            ("color", "000000"),
        ):
            line.set(qn(f"w:{key}"), value)
        borders.append(line)


def _repeat_heads(made: Any) -> None:
    """The heads stand again on every page; no row is torn apart."""
    from docx.oxml import OxmlElement

    made.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for row in made.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
