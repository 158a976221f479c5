"""The external report: page, tables, figures and document, from the same estimates as the internal one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.content import Content, read_content
from reports.disclosure.curves import figure_of
from reports.disclosure.hazards import table_of_forest, table_of_model
from reports.disclosure.notes import printed_cells, told
from reports.disclosure.suppress import withheld
from reports.disclosure.system import Cell, System
from reports.disclosure.tables import COHORT, COUNTED, WITHHELD, Block, blocks_of, table_of
from reports.displays import flow
from reports.exports.files import write_whole
from reports.sections.model import ALL, Bullets, Line, Note, Rows, Section, Table

if TYPE_CHECKING:
    from schemas.spec.plan import AnyDisplay, Plan
    from schemas.spec.study import Study

DEFAULT_THRESHOLD = 5
COLUMNS = ["display", "table", "row", "column", "text"]
WHY = {
    "swimmer": "it shows single patients",
    "flow": "it follows few patients from line to line",
    "completeness": "it is about single centers",
    "competing": "its steps show single patients",
    "summary": "its shares would give withheld counts away",
}


@dataclass(frozen=True)
class External(Content):
    """A report that leaves: no statement leads back to the warehouse, and every section is printed everywhere."""

    cohort: str = ""

    @property
    def cohort_text(self) -> str:
        """How many patients the report is about."""
        return f"External report. {self.cohort} patients in the cohort."

    @property
    def behind(self) -> str:
        """Centers are not told of."""
        return ""

    @property
    def planned(self) -> tuple[Section, ...]:
        """All sections but the methods, which a document prints by itself."""
        return tuple(section for section in self.sections if section.id != "METHODS")

    def statements(self, section: Section) -> tuple[str, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class Released:
    """What was written. `withheld` of `cells` counts are withheld, small ones and those that protect them."""

    page: Path
    threshold: int
    cells: int
    withheld: int
    left_out: tuple[str, ...]


def write_external(
    warehouse_path: str | Path, out_folder: str | Path, study: Study, threshold: int | None = None
) -> Released:
    """Writes the external report: `report.html`, `report.docx`, `tables/`, `figures/`, `release.json`.

    Args:
        warehouse_path: A warehouse whose `analysis.estimate` is filled; it is only read.
        out_folder: A folder for it alone.
        study: As for `reports.render.render`.
        threshold: Counts from 1 up to below it are withheld; default that of the plan, or 5.
    """
    from reports.exports.document import write_document
    from reports.exports.figures import write_print, write_svg
    from reports.exports.tables import write_csv, write_workbook
    from reports.render import page
    from schemas.spec.plans import load_plan

    plan, folder = load_plan(study), Path(out_folder)
    limit = threshold_of(plan, threshold)
    content, released = external_content(read_content(warehouse_path, study), plan, study, limit)
    printed = write_print(content, folder)
    write_csv(content, folder)
    write_workbook(content, folder)
    write_svg(content, folder)
    write_document(content, folder, {name: png for name, (_, png) in printed.items()})
    made = write_whole(folder / "report.html", page(content))
    record = {"threshold": limit, **released, "files": sorted(_names(folder))}
    write_whole(folder / "release.json", json.dumps(record, indent=2) + "\n")
    return Released(
        made, limit, released["cells"], released["withheld"], tuple(released["left_out"])
    )


def threshold_of(plan: Plan, threshold: int | None = None) -> int:
    """The threshold that counts: the one that is given, else that of the plan, else 5."""
    return threshold or plan.disclosure.threshold or DEFAULT_THRESHOLD


def _names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def external_content(
    content: Content, plan: Plan, study: Study, threshold: int
) -> tuple[External, dict[str, Any]]:
    """The report that may leave, and what is told of it."""
    system = System()
    left_out: list[str] = []
    counted = _counted(content, plan, system, left_out)
    steps = _steps(content, system)
    hidden = withheld(system, threshold)
    cohort = WITHHELD if COHORT in hidden else str(system.values.get(COHORT, WITHHELD))
    sections: list[Section] = []
    for display in plan.displays:
        rows = content.displays.get(display.id)
        if rows is None or not rows.named:
            continue
        if display.id in counted:
            sections.append(
                _section(display.id, rows, table_of(counted[display.id], hidden, threshold))
            )
            continue
        if display.kind in COUNTED:
            continue
        made = _other(display, rows, plan, threshold, system, hidden)
        if isinstance(made, Section):
            sections.append(made)
        else:
            left_out.append(f"{rows.heading}: left out, {made}.")
    if steps:
        lines = tuple(
            Line(label, (WITHHELD if cell in hidden else str(system.values[cell]),))
            for cell, label in steps.items()
            if cell in hidden or system.values[cell] or cell == COHORT
        )
        table = Table("Step", ("Patients",), lines)
        sections.append(
            Section(
                "ATTRITION", "Patients: from the deliveries to the cohort", "Patients", (table,)
            )
        )
    sections.append(
        Section("DISCLOSURE", "What is withheld", "Withheld", told(threshold, left_out))
    )
    sentences = _sentences(content, study)
    listed = Bullets(tuple(text for name, text in sentences.items() if name != "title"))
    sections.append(Section("METHODS", "Methods", "Methods", (listed,)))
    made_of = External(
        content.title,
        content.data_cut,
        COLUMNS,
        printed_cells(sections),
        {},
        tuple(sections),
        sentences,
        cohort=cohort,
    )
    n_hidden = len(hidden & set(system.values))
    return made_of, {
        "cells": len(set(system.values) - system.unprinted), "withheld": n_hidden, "left_out": left_out,
    }  # fmt: skip


def _counted(
    content: Content, plan: Plan, system: System, left_out: list[str]
) -> dict[str, list[Block]]:
    """Tables of counts by display; their cells are in the system then.

    Of variables made of one column of adsl only the first is printed: the difference of two cuts is a count too.
    """
    found: dict[str, list[Block]] = {}
    column_of: dict[str, str] = {}
    for display in plan.displays:
        rows = content.displays.get(display.id)
        if rows is None or not rows.named or display.kind not in COUNTED:
            continue
        by = _names_by(display)
        if display.where or len(by) > 1 or getattr(display, "landmark_months", None):
            left_out.append(f"{rows.heading}: left out, it is about a part of the cohort.")
            continue
        kept = []
        for block in blocks_of(rows, by[0] if by else None):
            names = [block.name, *by]
            sources = {name: _column(plan, name) for name in names}
            if any(column_of.get(source, name) != name for name, source in sources.items()):
                left_out.append(
                    f"{rows.heading}: {block.label} left out, it repeats a variable cut otherwise."
                )
                continue
            trial = system.copy()
            try:
                block.enter(trial)
            except (ValueError, KeyError):
                left_out.append(
                    f"{rows.heading}: {block.label} left out, it counts other patients."
                )
                continue
            system.values, system.sums = trial.values, trial.sums
            system.unprinted, system.heads = trial.unprinted, trial.heads
            column_of |= {source: name for name, source in sources.items()}
            kept.append(block)
        if kept:
            found[display.id] = kept
    return found


def _names_by(display: AnyDisplay) -> tuple[str, ...]:
    by = getattr(display, "by", None) or ()
    return (by,) if isinstance(by, str) else tuple(by)


def _column(plan: Plan, name: str) -> str:
    return (plan.variables[name].column or name) if name in plan.variables else name


def _other(
    display: AnyDisplay, rows: Rows, plan: Plan, threshold: int, system: System, hidden: set[Cell]
) -> Section | str:
    if display.kind == "survival":
        conditions = (*_names_by(display), *display.where)
        touched = {name for cell in hidden for name, _ in cell}
        groups = {code for one in conditions for code in (one,)}
        if len(conditions) > 1 and groups & touched:
            return "with its groups a withheld count could be computed"
        if len(conditions) == 1 and any({name for name, _ in cell} == groups for cell in hidden):
            return "the size of one of its groups is withheld"
        made = figure_of(display.id, rows, threshold)
        return (
            made
            if isinstance(made, str)
            else Section(display.id, rows.heading, _short(rows), (made,))
        )
    if display.kind in ("model", "forest"):
        table = (table_of_model if display.kind == "model" else table_of_forest)(rows, threshold)
        return _section(display.id, rows, table) if table else "it has no estimate"
    return WHY.get(display.kind, "nothing is known of how to make it safe")


def _section(name: str, rows: Rows, table: Table) -> Section:
    note = (Note(rows.note),) if rows.note else ()
    return Section(name, rows.heading, _short(rows), (table, *note))


def _short(rows: Rows) -> str:
    return (
        rows.heading.split(". ")[0]
        if rows.heading.startswith(("Table ", "Figure "))
        else rows.heading
    )


def _steps(content: Content, system: System) -> dict[Cell, str]:
    """From the deliveries to the cohort: reasons add up to those who are not in it."""
    rows = content.displays.get("ATTRITION")
    found = rows.of(population=ALL) if rows else []
    if not found:
        return {}
    cells = {_step(str(row["row"])): row for row in found}
    for cell, row in cells.items():
        if cell not in system.values:
            system.put(cell, int(row["value"] or 0))
    total = _step("DELIVERIES")
    system.add_up(total, [cell for cell in cells if cell != total], "step")
    return {cell: str(row["row_label"]) for cell, row in cells.items()}


def _step(name: str) -> Cell:
    return COHORT if name == "COHORT" else frozenset({("step", name)})


def _sentences(content: Content, study: Study) -> dict[str, str]:
    """Those of the study's methods; sentences that count patients are not among them."""
    known = {row.row for row in flow.methods(study) if row.value is None and row.n is None}
    known |= set(flow.OF_KINDS)
    return {name: text for name, text in content.sentences.items() if name in known}
