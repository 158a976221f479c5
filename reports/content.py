"""What the page and the files beside it are made of, read from `analysis.estimate` and `meta.run` alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.sections import frame
from reports.sections.model import Figure, Rows, Section, Table
from reports.sections.registry import section_of

if TYPE_CHECKING:
    import duckdb

    from schemas.spec.study import Study

SHOWN = "population, row, level, statistic, value, lower, upper, p, n, events, method, text"


@dataclass(frozen=True)
class Content:
    """A report before it is written.

    Attributes:
        columns: Names of the columns of `rows`.
        rows: All of `analysis.estimate` in order.
        displays: Its rows by display.
        sections: Parts of the page in order.
        sentences: The methods by name.
        with_subjects: Displays whose patients `analysis.estimate_subject` names.
    """

    title: str
    data_cut: date
    columns: list[str]
    rows: list[dict[str, Any]]
    displays: dict[str, Rows]
    sections: tuple[Section, ...]
    sentences: dict[str, str]
    with_subjects: frozenset[str] = field(default_factory=frozenset)

    @property
    def cohort_text(self) -> str:
        """How many patients the report is about."""
        size = self.displays["COHORT"].text(row="N") if "COHORT" in self.displays else ""
        return f"{size} patients in the cohort."

    @property
    def behind(self) -> str:
        """Which centers' newest delivery is not in force; empty where none is."""
        return self.displays.get("DELIVERIES", Rows()).text(row="BEHIND")

    @property
    def planned(self) -> tuple[Section, ...]:
        """The sections of the analysis plan."""
        return tuple(
            section
            for section in self.sections
            if section.id in self.displays and self.displays[section.id].named
        )

    def tables(self) -> dict[str, tuple[Section, Table]]:
        """Every printed table by the name of its file."""
        return {
            name: (section, table)
            for section in self.sections
            for name, table in _numbered(section, Table)
        }

    def figures(self) -> dict[str, tuple[Section, Figure]]:
        """Every figure that was drawn by the name of its file."""
        return {
            name: (section, figure)
            for section in self.sections
            for name, figure in _numbered(section, Figure)
            if figure.drawing
        }

    def statements(self, section: Section) -> tuple[str, ...]:
        """The SQL that yields the numbers of a section, and the patients behind them."""
        if section.id not in self.displays:
            return ()
        name = section.id.replace("'", "''")
        numbers = (
            f"select {SHOWN} from analysis.estimate where display = '{name}' order by position"
        )
        if section.id not in self.with_subjects:
            return (numbers,)
        return (numbers, f"select * from analysis.estimate_subject where display = '{name}'")


def _numbered(section: Section, kind: type[Any]) -> list[tuple[str, Any]]:
    """Blocks of a kind: the first has the section's name, the others a number behind it."""
    found = [block for block in section.blocks if isinstance(block, kind)]
    return [
        (section.id if number == 1 else f"{section.id}_{number}", block)
        for number, block in enumerate(found, start=1)
    ]


def read_content(
    warehouse_path: str | Path, study: Study, facts: dict[str, str] | None = None
) -> Content:
    """Reads a warehouse whose `analysis.estimate` is filled; it is not changed.

    Args:
        warehouse_path: The file.
        study: Gives the data cut, and the title if the estimates have none.
        facts: What else is to be told of the run, by name.
    """
    import duckdb

    con = duckdb.connect(str(warehouse_path), read_only=True)
    try:
        columns, rows = _records(con, "select * from analysis.estimate order by display, position")
        run = [*_run_facts(con), *(facts or {}).items()]
        subjects = con.execute(
            "select distinct display from analysis.estimate_subject order by display"
        ).fetchall()
    finally:
        con.close()
    by_display: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_display.setdefault(row["display"], []).append(row)
    displays = {name: Rows.of_display(found) for name, found in by_display.items()}
    sentences = {
        row["row"]: str(row["text"]) for row in displays["METHODS"].rows if not row["level"]
    }
    planned = sorted((rows.named["value"], name) for name, rows in displays.items() if rows.named)
    sections = (
        *(section_of(name, displays[name], sentences) for _, name in planned),
        *frame.sections(displays, sentences, run),
    )
    title = sentences.get("title", study.title)
    return Content(
        title, study.data_cut, columns, rows, displays, sections, sentences,
        frozenset(row[0] for row in subjects),
    )  # fmt: skip


def _records(
    con: duckdb.DuckDBPyConnection, statement: str
) -> tuple[list[str], list[dict[str, Any]]]:
    result = con.execute(statement)
    columns = [description[0] for description in result.description or ()]
    return columns, [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def _run_facts(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    found = con.execute(
        "select count(*) from duckdb_tables() where schema_name = 'meta' and table_name = 'run'"
    ).fetchall()
    if not found[0][0]:
        return []
    _, records = _records(con, "select * from meta.run")
    return [
        (column.replace("_", " "), _fact(column, value))
        for record in records
        for column, value in record.items()
        if value is not None
    ]


def _fact(column: str, value: Any) -> str:
    if column != "versions":
        return str(value)
    try:
        return ", ".join(f"{name} {version}" for name, version in json.loads(str(value)).items())
    except (ValueError, AttributeError):
        return str(value)
