"""Lists what stands in each export, read off the writers: the tables of `docs/demo-study.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demo.exports import WRITERS
from demo.faults import KINDS
from demo.grid import Coded, Column, Dated, Export
from demo.model import Patient

_HINTS = {
    "comma": "number with decimal comma",
    "plain": "number with decimal point",
    "as_is": "number or date as the file format holds it",
    "str": "text",
    "apostrophe": "text, apostrophe between thousands",
    "per_dl": "number in g/dL (kept in g/L)",
    "micromole": "number in µmol/L (kept in mg/dL)",
    "in_words": "month and year in words",
}


def describe(patients: Sequence[Patient]) -> str:
    """Markdown: per center, file and sheet, each column with its meaning and codes."""
    parts = []
    for center, writer in WRITERS.items():
        members = [p for p in patients if p.center == center]
        parts.append("\n".join(_center(writer.build(members, 2))))
    return "\n\n".join(parts) + "\n"


def _center(export: Export) -> Iterator[str]:
    yield f"### {export.center}: columns"
    for grid in export.grids:
        place = f"`{grid.file}`" + (f", sheet `{grid.sheet}`" if grid.sheet else "")
        yield f"\n{place}: {len(grid.records)} rows, the first in row {grid.first_row}\n"
        yield "| column | fact | written as |"
        yield "| --- | --- | --- |"
        for column in grid.columns:
            header = column.header.replace("|", "\\|")
            yield f"| `{header}` | {column.fact} | {_written(column)} |"


def _written(column: Column) -> str:
    missing = f"; `{column.empty}` = missing" if column.empty is not None else ""
    if isinstance(column.write, Coded):
        return ", ".join(f"`{own}` = {code}" for code, own in column.write.codes.items()) + missing
    if isinstance(column.write, Dated):
        return f"date {column.write.pattern}{missing}"
    name = getattr(column.write, "__name__", "")
    return _HINTS.get(name, "number with its unit" if name == "<lambda>" else name) + missing


def kinds() -> str:
    """Markdown: the kinds of planted faults."""
    rows = [
        "| kind | rules | severity | where | stays in round two | what |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for kind in KINDS:
        stays = "changed" if kind.changes else "yes" if kind.persists else ""
        stays = "new" if kind.from_round > 1 else stays
        rows.append(
            f"| {kind.name} | {' '.join(kind.rules)} | {kind.severity} "
            f"| {' or '.join(kind.centers)} | {stays} | {kind.note} |"
        )
    return "\n".join(rows) + "\n"


def main() -> None:
    """Print the tables of the standard study."""
    from demo.cohort import build_cohort

    print(describe(build_cohort()) + "\n## Kinds of planted faults\n\n" + kinds(), end="")


if __name__ == "__main__":
    main()
