"""Writes `docs/tables.md` from the canonical tables and codelists. Run as `python -m schemas.tables_docs`.

The page is generated, so that whoever writes a spec sees the columns and codes that a spec is checked with.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from schemas.catalog import HERE, STREAMING, Catalog, Column, Table, load_catalog

PAGE = HERE.parent / "docs" / "tables.md"
_SHOWN = 6  # codes of a codelist that stand beside the column; longer ones are named only
_SPELLINGS = HERE / "vocabularies"
_HEAD = """# The canonical tables

Generated from `schemas/tables/*.py` and `schemas/codelists.csv` by `python -m schemas.tables_docs`. Do not edit.

These are the tables and columns that a center's spec fills ([center-specs.md](center-specs.md)): a block names the table, `columns` its
columns. In the published warehouse they stand as `core.<table>` ([warehouse.md](warehouse.md)). A table that a center does not collect has no block.

- **Every row has a patient id**, which is `patient_id` of its source; it is no column of the spec. `center_id`, and the address of the row in its
  file, fill themselves.
- **Kind.** `text`; `code`: a code of the named codelist; `flag`: Y, N or U (asked, and not known); `integer`: a whole number; `number`; `date`. A
  cell may hold the center's own words: the vocabulary of the codelist knows the usual ones, the spec's `map` adds to them. A `constant` is
  always the code itself.
- **A date may be a month or a year.** How much of it was told stands beside it in `<column>_precision` (codelist `precision`), the date then
  being the first day it could be.
- **A number keeps what stood around it**: `<column>_comparator` (`<`, `<=`, `>`, `>=`, `~`), and `<column>_unit`, the unit as the center reported
  it; the number itself is in the unit of this page.
- **A private column** is read and judged and stays in the vault: it is no column of the warehouse.
- **Range.** What lies outside cannot be (rule STR-06). The rules ask about much that is possible but unlikely ([rules.md](rules.md)).
- **Required.** Where it is empty, the row is held back until the center corrects it, unless a rule of its own says otherwise. `country` of a
  subject fills itself from the center.
- **Key.** Columns that together occur once (rule STR-10; of `subject` STR-02). A table without key may repeat.
"""


def page(catalog: Catalog | None = None) -> str:
    """The whole page; of the project's own catalog unless another is given."""
    catalog = catalog or load_catalog()
    users = _users(catalog)
    parts = [_HEAD, _contents(catalog)]
    for table in catalog.tables.values():
        parts += [f"## {table.name}", _about(table), _columns(table, catalog)]
    parts += ["## Codelists", _about_codelists()]
    for name, codes in catalog.codelists.items():
        parts += [
            f"### Codelist {name}",
            _users_line(users.get(name, []), name),
            _codes(name, catalog, codes),
        ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _contents(catalog: Catalog) -> str:
    lines = ["| table | what |", "| --- | --- |"]
    for table in catalog.tables.values():
        lines.append(
            f"| [{table.name}](#{table.name}) | {_cell(table.description.splitlines()[0])} |"
        )
    return "\n".join(lines)


def _about(table: Table) -> str:
    description = " ".join(table.description.split())
    key = ", ".join(f"`{name}`" for name in table.key)
    large = " Read in parts, so that its size does not matter." if table.name in STREAMING else ""
    return f"{description}{large}\n\nKey: {key or 'none'}."


def _columns(table: Table, catalog: Catalog) -> str:
    lines = [
        "| column | label | kind | unit | codes | range | required |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for column in table.columns:
        cells = [
            f"`{column.name}`",
            column.label,
            column.kind,
            column.unit or "",
            _codes_of(column, catalog),
            _range(column),
            "yes" if column.required else "private" if column.private else "",
        ]
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _codes_of(column: Column, catalog: Catalog) -> str:
    if column.codelist is None:
        return ""
    codes = list(catalog.codelists[column.codelist])
    link = f"[{column.codelist}](#codelist-{column.codelist})"
    few = (
        ", ".join(f"`{code}`" for code in codes) if len(codes) <= _SHOWN else f"{len(codes)} codes"
    )
    return f"{link}: {few}"


def _range(column: Column) -> str:
    low, high = (None if bound is None else f"{bound:g}" for bound in (column.ge, column.le))
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None:
        return f"from {low}"
    return "" if high is None else f"up to {high}"


def _about_codelists() -> str:
    return (
        "Left the code, as `map`, `codebook` and `constant` of a spec name it; right what it stands for. "
        "Codes are written exactly so, capitals included."
    )


def _users(catalog: Catalog) -> dict[str, list[str]]:
    """Codelist to the columns that hold its codes."""
    users: dict[str, list[str]] = {}
    for table in catalog.tables.values():
        for column in table.columns:
            if column.codelist:
                users.setdefault(column.codelist, []).append(f"{table.name}.{column.name}")
    return users


def _users_line(columns: list[str], name: str) -> str:
    others = {"precision": "every date", "drug": "`treatment_line.drugs`, joined by `|`"}
    shown = ", ".join(f"`{column}`" for column in columns) or others.get(
        name, "no column of a spec"
    )
    files = [f"{name}.csv", f"{name.removeprefix('exposure_')}_synonyms.csv"]
    links = [
        f"[{file}](../schemas/vocabularies/{file})"
        for file in files
        if (_SPELLINGS / file).is_file()
    ]
    known = f" Words that are known: {', '.join(links)}." if links and name != "precision" else ""
    return f"Used by: {shown}.{known}"


def _codes(name: str, catalog: Catalog, codes: Mapping[str, str]) -> str:
    """The codes as a table; a list that another one goes on from names only what it adds."""
    base = name.removeprefix("exposure_")
    inner = catalog.codelists.get(base, {}) if base != name else {}
    added = {code: label for code, label in codes.items() if code not in inner}
    lines = ["| code | label |", "| --- | --- |"]
    lines += [f"| `{code}` | {_cell(label)} |" for code, label in added.items()]
    shared = len(codes) - len(added)
    head = f"{shared} codes of [{base}](#codelist-{base}), and:\n\n" if shared else ""
    return head + "\n".join(lines)


def _cell(text: str) -> str:
    """Text that does not end a cell of a Markdown table."""
    return text.replace("|", "\\|")


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
