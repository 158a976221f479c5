"""Writes docs/audit.md from the suites: `python -m expectations.docs`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from expectations.page import TEMPLATES, TITLES
from expectations.suite import STOP, WARN, Check, load_suite

PAGE = Path(__file__).parents[1] / "docs" / "audit.md"


def text() -> str:
    """The page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    suite = load_suite()
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    parts = [
        (title, [_told(check) for check in suite.checks if check.suite == name])
        for name, title in TITLES.items()
    ]
    return environment.get_template("audit.md.j2").render(
        parts=parts, acceptable=sorted(suite.acceptable), version=version("great-expectations")
    )


def _told(check: Check) -> dict[str, Any]:
    found = {e.severity for e in check.expectations}
    return {
        "id": check.id,
        "title": check.title,
        "sentence": check.sentence,
        "severities": [severity for severity in (STOP, WARN) if severity in found],
        "acceptable": check.acceptable,
        "limits": ", ".join(f"{name} {limit:g}" for name, limit in check.limits.items()),
    }


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
