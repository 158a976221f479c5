"""The audit's results as files: JSON, and one page that loads nothing and runs nothing.

Great Expectations' own site (Data Docs) is not written: as generated, it fetches scripts and styles from
other hosts, loads a tracking image, and puts values of cells into the page as markup.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from expectations.audit import AuditResult
from expectations.suite import SUITES

TEMPLATES = Path(__file__).parent / "templates"
TITLES = {"center": "Single centers", "study": "Across tables and centers"}


def write_results(result: AuditResult, folder: Path) -> Path:
    """Writes `audit.json`, the suites as Great Expectations writes them, and `audit.html`.

    Args:
        result: what the audit found.
        folder: made if need be.

    Returns:
        The path of the page.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "audit.json", result.results)
    suites = folder / "suites"
    suites.mkdir(exist_ok=True)
    for name in SUITES:
        mine = [suite for suite in result.suites if suite["meta"]["suite"] == name]
        _write(suites / f"{name}.json", mine)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = folder / "audit.html"
    checks = result.results["checks"]
    page.write_text(
        environment.get_template("audit.html").render(
            results=result.results,
            parts=[(TITLES[name], [c for c in checks if c["suite"] == name]) for name in SUITES],
            declared={suite["name"]: suite for suite in result.suites},
            stopped=result.critical_failures,
            warned=result.warnings,
        ),
        encoding="utf-8",
    )
    return page


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
