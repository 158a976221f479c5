"""The report page and the light files beside it, from `analysis.estimate` and `meta.run` alone."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.content import Content, read_content
from reports.exports import write_light
from reports.exports.files import write_whole
from reports.figures.svg import described
from reports.sections.model import Block, Figure, Section, Table

if TYPE_CHECKING:
    from schemas.spec.study import Study

TEMPLATES = Path(__file__).parent / "templates"


def render(
    warehouse_path: str | Path,
    out_folder: str | Path,
    study: Study,
    facts: dict[str, str] | None = None,
) -> Path:
    """Writes `report.html`, `tables/` and `figures/*.svg`; each file appears whole or not at all.

    The page is one file without reference to anything outside, every text escaped. Its one script lets readers
    move along curves; the policy of the page names it and the style by their hashes, and no other can run.

    Args:
        warehouse_path: A warehouse whose `analysis.estimate` is filled; it is only read.
        out_folder: Made if missing; `published/report` of the study.
        study: Names the language of the page; its title and decisions come from the estimates.
        facts: What else is to be told of the run, by name, such as the content hash.

    Returns:
        The path of the page.
    """
    content, folder = read_content(warehouse_path, study, facts), Path(out_folder)
    write_light(content, folder)
    return write_whole(folder / "report.html", page(content))


def page(content: Content) -> str:
    """The page as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = _own("report.css") + _own("figure.css")
    script = _own("report.js")
    return environment.get_template("report.html.j2").render(
        content=content,
        style=Markup(style),  # noqa: S704 (our own file)
        style_hash=_digest(style),
        script=Markup(script),  # noqa: S704 (our own file)
        script_hash=_digest(script),
        sections=[
            (section, _shown(section), content.statements(section)) for section in content.sections
        ],
    )


def _shown(section: Section) -> list[tuple[str, Block, Any]]:
    """Kind and block, with the caption of a table or the described drawing of a figure."""
    shown: list[tuple[str, Block, Any]] = []
    n_tables = 0
    for block in section.blocks:
        extra: Any = None
        if isinstance(block, Table):
            n_tables += 1
            extra = block.caption or (
                section.heading if n_tables == 1 else f"{section.heading}: table {n_tables}"
            )
        elif isinstance(block, Figure) and block.drawing:
            extra = described(block.drawing, block.caption)
        shown.append((type(block).__name__, block, extra))
    return shown


def _own(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
