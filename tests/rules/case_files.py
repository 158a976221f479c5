"""Cases of rules as data: `tests/rules/<RULE>/positive/*.csv` break the rule, `negative/*.csv` do not.

A case may need rows of several tables, so each line of its file is one cell: `table, row, column,
value`. An empty value is an empty cell; a date may be partial (`2023-05`). The table `expect` tells
what is wanted (`case`: what the case is about; `fields` joined by |; `findings`; `severity`;
`derived` values joined by |), `issues.<table>` and `file_issue` what reading and mapping reported,
`before.<table>` the rows of the delivery before.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from tests.rules.judging import CATALOG

FOLDER = Path(__file__).parent
SEPARATOR = "|"
BEFORE = "before."
_NUMBERS = {"index", "findings", "position", "row"}
_LISTS = {"fields", "derived"}


def cases_of(rule: str) -> list[dict[str, Any]]:
    """All cases of a rule: `violates` or `holds` tells what each is about."""
    folder = FOLDER / rule
    return [
        read_case(path)
        for kind in ("positive", "negative")
        for path in sorted((folder / kind).glob("*.csv"))
    ]


def rules_with_cases() -> list[str]:
    """Folders that hold cases."""
    kinds = [*FOLDER.glob("*/positive"), *FOLDER.glob("*/negative")]
    return sorted({path.parent.name for path in kinds})


def read_case(path: Path) -> dict[str, Any]:
    """One case: its tables with their rows, and what is expected."""
    case: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            table, column = line["table"], line["column"]
            value = _value(table, column, line["value"])
            if table == "expect":
                told = "violates" if path.parent.name == "positive" else "holds"
                case[told if column == "case" else column] = value
            else:
                row = rows.setdefault(table, {}).setdefault(int(line["row"]), {})
                if column:  # a row that is as usual has no column of its own
                    row[column] = value
    for table, numbered in rows.items():
        listed = [numbered[number] for number in sorted(numbered)]
        if table == "file_issue":
            case[table] = listed[0]
        elif table.startswith("issues."):
            case.setdefault("issues", {})[table.removeprefix("issues.")] = listed
        elif table.startswith(BEFORE):
            case.setdefault("before", {})[table.removeprefix(BEFORE)] = listed
        else:
            case[table] = listed
    return case


def _value(table: str, column: str, text: str) -> Any:
    if text == "":
        return None
    if table == "expect" and column in _LISTS:
        return [part or None for part in text.split(SEPARATOR)]
    if table == "expect" or "issue" in table:
        return int(text) if column in _NUMBERS else text
    kinds = {c.name: c.kind for c in CATALOG.tables[table.removeprefix(BEFORE)].columns}
    if column == "patient_id" or kinds.get(column) not in ("integer", "number"):
        return text
    return int(text) if kinds[column] == "integer" else float(text)
