"""A table with three rules in a Word document: above and below the heads, and at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.sections.model import Table

TEXT_MM = 170.0
SIZES = (8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5)  # points; the first in which no word is torn is taken
EM_MM = 25.4 / 72  # a point
CHARACTER = 0.54  # of the size: the mean width of one
BOLD = 0.6
MARGIN_MM = 0.9  # on both sides of a cell
SHORT = 15  # lines of a table that is kept on one page
LONGEST = 46  # characters of a cell before its text is wrapped


def add_table(document: Any, table: Table, words: Callable[[str], str]) -> None:
    """Adds a table; `words` gives the text of a cell as it is to be printed."""
    from docx.enum.table import WD_TABLE_ALIGNMENT

    if table.caption:
        caption = document.add_paragraph()
        caption.add_run(words(table.caption)).bold = True
        caption.paragraph_format.keep_with_next = True
    columns = [[table.corner, *(line.label for line in table.lines)]]
    columns += [
        [head, *(line.cells[index] for line in table.lines)]
        for index, head in enumerate(table.heads)
    ]
    made = document.add_table(rows=len(table.lines) + 1, cols=len(columns))
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    size, widths = fitted(columns)
    grid = [list(row.cells) for row in made.rows]
    _widen(made, grid, widths)
    for cell, text in zip(grid[0], [table.corner, *table.heads], strict=True):
        _fill(cell, words(text), size, bold=True, left=cell is grid[0][0])
    for cells, line in zip(grid[1:], table.lines, strict=True):
        _fill(cells[0], words(line.label), size, bold=line.is_head, indent=line.is_level, left=True)
        for cell, text in zip(cells[1:], line.cells, strict=True):
            _fill(cell, words(text), size)
    if len(table.lines) <= SHORT:
        for cells in grid[:-1]:
            for cell in cells:
                cell.paragraphs[0].paragraph_format.keep_with_next = True
    _rule(grid[0], "top", 12)
    _rule(grid[0], "bottom", 6)
    _rule(grid[-1], "bottom", 12)
    _repeat_heads(made)
    document.add_paragraph().paragraph_format.space_after = 0


def fitted(columns: list[list[str]]) -> tuple[float, list[float]]:
    """Size of the letters in points and width of each column in mm, so that no word is torn.

    Args:
        columns: The texts of each column, its head first.

    Returns:
        The largest size that has room for every word; below the smallest, columns share the page by need.
    """
    for size in SIZES:
        letter = size * EM_MM
        least = [
            max(max(map(len, text.split()), default=0) for text in texts) * letter * BOLD
            + 2 * MARGIN_MM
            for texts in columns
        ]
        wanted = [
            max(low, min(LONGEST, max(map(len, texts))) * letter * CHARACTER + 2 * MARGIN_MM)
            for low, texts in zip(least, columns, strict=True)
        ]
        if sum(wanted) <= TEXT_MM:
            return size, wanted
        if sum(least) <= TEXT_MM:
            share = (TEXT_MM - sum(least)) / (sum(wanted) - sum(least))
            return size, [
                low + share * (much - low) for low, much in zip(least, wanted, strict=True)
            ]
    return SIZES[-1], [TEXT_MM * much / sum(wanted) for much in wanted]


def _widen(made: Any, grid: list[list[Any]], widths: list[float]) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm

    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(round(MARGIN_MM / EM_MM * 20)))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    made._tbl.tblPr.append(margins)
    for column, width in zip(made.columns, widths, strict=True):
        column.width = Mm(width)
    for cells in grid:
        for cell, width in zip(cells, widths, strict=True):
            cell.width = Mm(width)


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
