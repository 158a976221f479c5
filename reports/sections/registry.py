"""Which module makes the blocks of which kind of display; one line a kind.

A module has `blocks(name, rows, sentences)`: the display's id, its rows, and the sentences of the methods.
"""

from __future__ import annotations

import re
from importlib import import_module

from reports.sections.model import Block, Rows, Section

MODULES = {
    "baseline": "baseline",
    "response": "response",
    "survival": "survival",
    "competing": "competing",
    "flow": "line_flow",
    "summary": "summary",
    "swimmer": "swimmer",
    "completeness": "completeness",
    "model": "model_table",
    "forest": "forest",
}


def section_of(name: str, rows: Rows, sentences: dict[str, str]) -> Section:
    """The section of a display of the plan."""
    module = import_module(f"reports.sections.{MODULES[str(rows.named['level'])]}")
    made: tuple[Block, ...] = module.blocks(name, rows, sentences)
    return Section(name, rows.heading, _short(rows.heading), made)


def _short(heading: str) -> str:
    """`Table 1` of `Table 1. Patients ...`; the whole heading where it has no number."""
    found = re.match(r"((?:Table|Figure) \w+)\. ", heading)
    return found[1] if found else heading
