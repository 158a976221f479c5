"""Puts the figures of `make trust` into docs/trust.md: python tests/trust/write_figures.py FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

DOC = Path(__file__).parents[2] / "docs" / "trust.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def table(folder: Path) -> str:
    """The figures as a Markdown table, by threat."""
    lines = [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    lines.sort(key=lambda one: (int(one["threats"].split(",")[0]), one["what"]))
    rows = [
        f"| {o['threats']} | {o['what']} | {o['bad']}/{o['tries']} | {o['wanted']} |" for o in lines
    ]
    return "\n".join(["| threats | campaign | bad/tries | wanted |", "|---|---|---:|---|", *rows])


def main(folder: Path) -> None:
    """Writes the table between the marks, and prints it."""
    told = table(folder)
    text = DOC.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    DOC.write_text(f"{before}{BEGIN}\n{told}\n{END}{after}", encoding="utf-8")
    print(told)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
