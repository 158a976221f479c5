"""What all pages of the scorecard share: templates, style and policy."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from reports.scorecard.figures import Shown
from reports.scorecard.words import Speech

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent / "templates"
REPORT = Path(__file__).parents[1] / "templates"


@cache
def environment() -> Environment:
    """Jinja with every text escaped and no name unknown."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def page(template: str, styles: tuple[str, ...], script: str = "", **values: Any) -> str:
    """A page with its style and script inside, each named in its policy by its hash.

    Args:
        template: Name of the template.
        styles: Our own style sheets beside the report's.
        script: Name of our own script; none where empty.
        **values: What the template shows; every text is escaped.
    """
    style = (REPORT / "report.css").read_text(encoding="utf-8")
    style += "".join((HERE / name).read_text(encoding="utf-8") for name in styles)
    code = (HERE / script).read_text(encoding="utf-8") if script else ""
    return (
        environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 (our own file)
            style_hash=_digest(style),
            script=Markup(code),  # noqa: S704 (our own file)
            script_hash=_digest(code),
            **values,
        )
    )


def changed(item: Shown, speech: Speech) -> Markup:
    """A change in signs and words: colour alone never tells it."""
    if not item.change:
        return Markup("")
    if item.change in ("better", "worse"):
        return Markup('<span class="{}">{} {}</span>').format(
            item.change, item.difference, speech(item.change)
        )
    return Markup("{}").format(
        item.difference if item.change in ("up", "down") else speech(item.change)
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
