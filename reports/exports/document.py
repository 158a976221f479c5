"""The report's tables and figures as a Word document in the style of journals."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.exports.files import write_whole
from reports.exports.ruled_table import add_table
from reports.figures.svg import NOT_XML
from reports.sections.model import Bullets, Facts, Figure, Note, Subheading, Table

if TYPE_CHECKING:
    from reports.content import Content
    from reports.sections.model import Section

FONT = "Arial"
TEXT_MM = 170.0  # width of the text: A4 with margins of 2 cm
MOST = 255  # characters of a property of a document
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest day that a zip archive can tell
ALONE = re.compile(r"(?<![\w.])([<>])(?=\d)")


def write_document(content: Content, folder: Path, pictures: dict[str, Path]) -> Path:
    """`report.docx`: title, the displays of the plan in order, methods.

    Args:
        content: The report.
        folder: Where the file goes.
        pictures: PNG of each figure by name; a figure without one is told by its caption alone.

    Returns:
        The path. The same report gives the same bytes.
    """
    import docx

    document: Any = docx.Document()  # its library is typed in part
    _set_up(document, content)
    document.add_heading(journal(content.title), level=0)
    cut = content.sentences.get("data_cut", "")
    document.add_paragraph(journal(f"{content.cohort_text} {cut}".strip()))
    if content.behind:
        document.add_paragraph().add_run(journal(content.behind)).bold = True
    names = {id(figure): name for name, (_, figure) in content.figures().items()}
    for number, section in enumerate(content.planned):
        if number:
            document.add_page_break()
        _add_section(document, section, names, pictures)
    _add_methods(document, content)
    buffer = io.BytesIO()
    document.save(buffer)
    return write_whole(folder / "report.docx", undated(buffer.getvalue()))


def journal(text: str) -> str:
    """A text as journals print it: a space between a sign and its number (`P < 0.001`).

    Characters that XML cannot hold are left out.
    """
    return ALONE.sub("\\1\u00a0", NOT_XML.sub("", text))


def undated(archive: bytes) -> bytes:
    """The same zip archive without the time at which its members were written."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for member in source.infolist():
            info = zipfile.ZipInfo(member.filename, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            target.writestr(info, source.read(member))
    return buffer.getvalue()


def _set_up(document: Any, content: Content) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(20)
    for name, size in (("Normal", 10), ("Title", 16), ("Heading 1", 12), ("Heading 2", 10.5)):
        style = document.styles[name]
        style.font.name, style.font.size = FONT, Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{kind}"), None)  # the theme would win over the name
    borders = document.styles["Title"].element.pPr.find(qn("w:pBdr"))
    if borders is not None:
        document.styles["Title"].element.pPr.remove(borders)
    document.styles["Normal"].paragraph_format.space_after = Pt(4)
    cut = content.data_cut
    day = dt.datetime(cut.year, cut.month, cut.day)
    about = document.core_properties
    about.title, about.author, about.comments = NOT_XML.sub("", content.title)[:MOST], "", ""
    about.created = about.modified = day


def _add_section(
    document: Any, section: Section, names: dict[int, str], pictures: dict[str, Path]
) -> None:
    document.add_heading(journal(section.heading), level=1)
    for block in section.blocks:
        if isinstance(block, Table):
            add_table(document, block, journal)
        elif isinstance(block, Figure):
            _add_figure(document, block, section, pictures.get(names.get(id(block), "")))
        elif isinstance(block, Note):
            _small(document, block.text)
        elif isinstance(block, Subheading) and block.text:
            document.add_heading(journal(block.text), level=2)
        elif isinstance(block, Bullets):
            for item in block.items:
                document.add_paragraph(journal(item), style="List Bullet")
        elif isinstance(block, Facts):
            told = "; ".join(f"{name}: {value}" for name, value in block.items)
            _small(document, f"{block.heading}. {told}." if block.heading else f"{told}.")


def _add_figure(document: Any, figure: Figure, section: Section, picture: Path | None) -> None:
    from docx.shared import Mm

    if picture is not None:
        shape = document.add_picture(str(picture), width=Mm(TEXT_MM))
        about = shape._inline.docPr
        about.set("name", NOT_XML.sub("", section.short))
        about.set("descr", NOT_XML.sub("", " ".join([section.heading, *figure.caption]))[:2000])
        document.paragraphs[-1].paragraph_format.keep_with_next = True
    else:
        document.add_paragraph(journal(figure.empty))
    if figure.caption:
        _small(document, " ".join(figure.caption))


def _small(document: Any, text: str) -> None:
    from docx.shared import Pt

    document.add_paragraph().add_run(journal(text)).font.size = Pt(8.5)


def _add_methods(document: Any, content: Content) -> None:
    document.add_page_break()
    document.add_heading("Methods", level=1)
    for name, sentence in content.sentences.items():
        if name not in ("title", "data_cut"):
            document.add_paragraph(journal(sentence))
