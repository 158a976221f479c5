"""Figures as files for journals: SVG, and from it PDF and PNG at 300 dots an inch.

Typst draws PDF and PNG: one wheel without system packages, the same engine for both, the same bytes for the
same drawing. Its own fonts have no upright sans serif, so the text is set in DejaVu Sans, which comes with
matplotlib (a dependency of lifelines); fonts of the machine are not looked at, for the bytes to be the same everywhere.
"""

from __future__ import annotations

import re
import struct
import zlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reports.exports.files import write_whole
from reports.figures.svg import NOT_XML, described

if TYPE_CHECKING:
    import typst

    from reports.content import Content
    from reports.sections.model import Figure

STYLE = Path(__file__).parents[1] / "templates" / "figure.css"
WIDTH_MM = 170.0  # a figure over both columns of a journal's page
DOTS_PER_INCH = 300
VIEW_BOX = re.compile(r'viewBox="(\S+) (\S+) (\S+) (\S+)"')
DATA = re.compile(r' data-[a-z]+="[^"]*"')  # what only the page reads
PAGE = """#set page(width: {width:.3f}mm, height: {height:.3f}mm, margin: 0pt, fill: white)
#set document(title: sys.inputs.title, date: datetime(year: {year}, month: {month}, day: {day}))
#image(bytes(sys.inputs.drawing), format: "svg", width: 100%, height: 100%, alt: sys.inputs.alt)
"""


def standalone(figure: Figure) -> str:
    """The drawing as a file of its own, with its style, its size and a white ground."""
    drawing = str(described(figure.drawing, figure.caption)) if figure.drawing else ""
    found = VIEW_BOX.search(drawing)
    if not found:
        raise ValueError("a figure without a drawing has no file")
    left, top, width, height = found.groups()
    style = STYLE.read_text(encoding="utf-8")
    ground = f'<style>{style}</style><rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#ffffff"/>'
    sized = drawing.replace(found[0], f'{found[0]} width="{width}" height="{height}"', 1)
    head, end, rest = DATA.sub("", sized).partition("</desc>")
    return f"{head}{end}{ground}{rest}\n"


def write_svg(content: Content, folder: Path) -> list[Path]:
    """`figures/<name>.svg` of each figure."""
    return [
        write_whole(folder / "figures" / f"{name}.svg", standalone(figure))
        for name, (_, figure) in content.figures().items()
    ]


def write_print(content: Content, folder: Path) -> dict[str, tuple[Path, Path]]:
    """`figures/<name>.pdf` and `.png` of each figure; returns both paths by name."""
    made = {}
    for name, (section, figure) in content.figures().items():
        told = (section.heading, " ".join(figure.caption))
        words = tuple(NOT_XML.sub("", text) for text in told)
        drawing = standalone(figure)
        pdf, png = (_drawn(drawing, words, content, "pdf"), _drawn(drawing, words, content, "png"))
        made[name] = (
            write_whole(folder / "figures" / f"{name}.pdf", pdf),
            write_whole(folder / "figures" / f"{name}.png", with_resolution(png, DOTS_PER_INCH)),
        )
    return made


def size_mm(drawing: str) -> tuple[float, float]:
    """Width and height on paper."""
    found = VIEW_BOX.search(drawing)
    if not found:
        raise ValueError("a drawing without viewBox")
    return WIDTH_MM, WIDTH_MM * float(found[4]) / float(found[3])


def _drawn(
    drawing: str, words: tuple[str, ...], content: Content, kind: Literal["pdf", "png"]
) -> bytes:
    import typst

    width, height = size_mm(drawing)
    cut = content.data_cut
    page = PAGE.format(width=width, height=height, year=cut.year, month=cut.month, day=cut.day)
    made = typst.compile(
        page.encode(),
        format=kind,
        ppi=float(DOTS_PER_INCH),
        font_paths=_fonts(),
        sys_inputs={"drawing": drawing, "title": words[0], "alt": words[1] or words[0]},
    )
    return bytes(made)


@cache
def _fonts() -> typst.Fonts:
    """DejaVu Sans; where it is not to be found, what the machine has."""
    import typst

    found = find_spec("matplotlib")
    places = found.submodule_search_locations if found else None
    folders = [Path(place) / "mpl-data" / "fonts" / "ttf" for place in places or ()]
    known = [str(folder) for folder in folders if folder.is_dir()]
    return typst.Fonts(include_system_fonts=not known, font_paths=known)


def with_resolution(png: bytes, dots_per_inch: int) -> bytes:
    """The picture with its resolution written down (chunk pHYs), which journals look at."""
    per_meter = round(dots_per_inch / 0.0254)
    body = b"pHYs" + struct.pack(">IIB", per_meter, per_meter, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    after_head = 8 + 25  # signature and IHDR
    if b"pHYs" in png[:200]:
        return png
    return png[:after_head] + chunk + png[after_head:]
