"""The report page and its tables, from `analysis.estimate` and `meta.run` alone."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.sections import frame
from reports.sections.model import Rows, Section, Table
from reports.sections.registry import section_of

if TYPE_CHECKING:
    import duckdb

    from schemas.spec.study import Study

TEMPLATES = Path(__file__).parent / "templates"
# A cell that a spreadsheet would take for a formula gets an apostrophe.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render(warehouse_path: str | Path, out_folder: str | Path, study: Study) -> Path:
    """Writes `report.html` and `tables/*.csv`; each file appears whole or not at all.

    The page is one file: no script, no reference to anything outside, every text escaped.

    Args:
        warehouse_path: A warehouse whose `analysis.estimate` is filled; it is only read.
        out_folder: Made if missing; `published/report` of the study.
        study: Names the language of the page; its title and decisions come from the estimates.

    Returns:
        The path of the page.
    """
    import duckdb

    con = duckdb.connect(str(warehouse_path), read_only=True)
    try:
        columns, rows = _estimates(con)
        run = _run_facts(con)
    finally:
        con.close()
    folder = Path(out_folder)
    by_display: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_display.setdefault(row["display"], []).append(row)
    displays = {name: Rows.of_display(found) for name, found in by_display.items()}
    sections = all_sections(displays, run)
    for section in sections:
        tables = [block for block in section.blocks if isinstance(block, Table)]
        for number, table in enumerate(tables, start=1):
            name = section.id if number == 1 else f"{section.id}_{number}"
            _write(folder / "tables" / f"{name}.csv", _table_csv(table))
    _write(
        folder / "tables" / "estimates.csv",
        _csv([columns, *([row[column] for column in columns] for row in rows)]),
    )
    path = folder / "report.html"
    _write(path, _html(displays, sections, study))
    return path


def _estimates(con: duckdb.DuckDBPyConnection) -> tuple[list[str], list[dict[str, Any]]]:
    result = con.execute("select * from analysis.estimate order by display, position")
    columns = [description[0] for description in result.description or ()]
    return columns, [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def _run_facts(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    found = con.execute(
        "select count(*) from duckdb_tables() where schema_name = 'meta' and table_name = 'run'"
    ).fetchall()
    if not found[0][0]:
        return []
    result = con.execute("select * from meta.run")
    columns = [description[0] for description in result.description or ()]
    return [
        (column.replace("_", " "), str(value))
        for row in result.fetchall()
        for column, value in zip(columns, row, strict=True)
        if value is not None
    ]


def all_sections(displays: dict[str, Rows], run: list[tuple[str, str]]) -> list[Section]:
    """The sections of the page: the displays of the plan in its order, then those of every report."""
    sentences = _sentences(displays)
    planned = sorted((rows.named["value"], name) for name, rows in displays.items() if rows.named)
    made = [section_of(name, displays[name], sentences) for _, name in planned]
    return [*made, *frame.sections(displays, sentences, run)]


def _sentences(displays: dict[str, Rows]) -> dict[str, str]:
    return {row["row"]: str(row["text"]) for row in displays["METHODS"].rows}


def _html(displays: dict[str, Rows], sections: list[Section], study: Study) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    sentences = _sentences(displays)
    size = displays["COHORT"].text(row="N") if "COHORT" in displays else ""
    return environment.get_template("report.html.j2").render(
        title=sentences.get("title", study.title),
        style=Markup(style),  # noqa: S704 (our own file)
        style_hash=f"sha256-{digest}",
        cohort_text=f"{size} patients in the cohort.",
        methods=sentences,
        sections=[
            (section, [(type(b).__name__, b) for b in section.blocks]) for section in sections
        ],
        behind=displays.get("DELIVERIES", Rows()).text(row="BEHIND"),
    )


def _table_csv(table: Table) -> str:
    return _csv(
        [[table.corner, *table.heads], *([line.label, *line.cells] for line in table.lines)]
    )


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(content, encoding="utf-8")
    temporary.replace(path)
