"""The audit's results as files: JSON, and one page that loads nothing and runs nothing."""

from __future__ import annotations

import json
from pathlib import Path

from expectations.audit import AuditResult

TEMPLATES = Path(__file__).parent / "templates"


def write_results(result: AuditResult, folder: Path) -> Path:
    """Writes `audit.json` and `audit.html`.

    Args:
        result: what the audit found.
        folder: made if need be.

    Returns:
        The path of the page.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result.results, indent=1)
    (folder / "audit.json").write_text(text, encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = folder / "audit.html"
    page.write_text(
        environment.get_template("audit.html").render(results=result.results), encoding="utf-8"
    )
    return page
