from __future__ import annotations

import re
from pathlib import Path

RAISED = r'(?:[Ee]rror|Refused?|refused?|Failure|fail)\(\s*"([A-Z_]{3,})",'
ROOT = Path(__file__).parents[2]


def test_every_reason_code_of_the_program_is_explained() -> None:
    text = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| ([A-Z_]+) \|", text, re.MULTILINE))
    raised: set[str] = set()
    for package in ("schemas", "transforms", "flows"):
        for path in (ROOT / package).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            raised |= set(re.findall(RAISED, source))
            raised |= set(re.findall(r"\[([A-Z_]{4,})\]\\n", source))

    assert {"ENCODING", "SHRINK", "NAME", "CRASH", "NO_SPEC"} <= raised
    assert raised <= explained
