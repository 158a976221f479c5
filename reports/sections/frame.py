"""Sections that every report has: who is in it, deliveries, alternatives, definitions, methods."""

from __future__ import annotations

from reports.sections import queries
from reports.sections.model import ALL, Bullets, Facts, Line, Note, Rows, Section, Table
from reports.sections.strobe import strobe_figure

DELIVERIES = (
    "Delivery in force: what the tables and figures rest on. Rows held back: rows of tables that broke a rule and"
    " rows of files that could not be read. Errors and warnings: findings of the delivery in force. A delivery that"
    " failed or is held changes nothing: the earlier state stays."
)
GROUP_SIZES = (
    "One decision is changed at a time, all others are as chosen. The start of the clock moves no patient to another"
    " group."
)
DEFINITIONS = (
    "✓ the canonical variable; ◐ in part; ✗ not given, or defined otherwise. Only variables that the report rests on or"
    " a center speaks of. All patients are analysed unless a cell says otherwise."
)


def sections(
    displays: dict[str, Rows], sentences: dict[str, str], run: list[tuple[str, str]]
) -> list[Section]:
    """The sections after those of the plan."""
    found: list[Section] = []
    if flow := displays.get("ATTRITION"):
        found.append(
            Section(
                "ATTRITION", "Patients: from the deliveries to the cohort", "Patients",
                (
                strobe_figure(flow), attrition_table(flow), center_table(flow),
                Note(sentences["cohort"]),
            ),
            )
        )  # fmt: skip
    if rows := displays.get("DELIVERIES"):
        blocks = (delivery_table(rows), Note(DELIVERIES))
        found.append(Section("DELIVERIES", "Deliveries", "Deliveries", blocks))
    if rows := displays.get("QUERIES"):
        heading = "Queries to the centers and confirmed exceptions"
        found.append(Section("QUERIES", heading, "Queries", queries.blocks(rows)))
    if rows := displays.get("GROUP_SIZE"):
        blocks = (group_size_table(rows), Note(GROUP_SIZES))
        heading = "Size of the groups under other decisions"
        found.append(Section("GROUP_SIZE", heading, "Alternatives", blocks))
    if rows := displays.get("DEFINITIONS"):
        notes = definition_notes(rows)
        more = (Bullets(tuple(notes)),) if notes else ()
        found.append(
            Section(
                "DEFINITIONS", "Definitions of the centers", "Definitions",
                (definition_table(rows), Note(DEFINITIONS), *more),
            )
        )  # fmt: skip
    listed = Bullets(tuple(text for name, text in sentences.items() if name != "title"))
    settings = tuple(
        (str(row["row_label"]), f"{row['text']}{_unusual(row)}")
        for row in displays["METHODS"].of(row="SETTING")
    )
    facts = [Facts("Settings in force", settings)] if settings else []
    if run:
        facts.append(Facts("This run", tuple(run)))
    found.append(Section("METHODS", "Methods", "Methods", (listed, *facts)))
    return found


def _unusual(row: dict[str, object]) -> str:
    return f" ({row['level_label']})" if row["level_label"] else ""


def attrition_table(rows: Rows) -> Table:
    """Every step from the deliveries to the cohort, all centers together."""
    lines = [
        Line(
            str(row["row_label"]),
            (str(row["text"]),),
            is_head=row["row"] in ("DELIVERIES", "COHORT"),
        )
        for row in rows.of(population=ALL)
        if row["value"] or row["row"] in ("DELIVERIES", "COHORT")
    ]
    return Table("Step", ("Patients",), tuple(lines))


def center_table(rows: Rows) -> Table:
    """Patients of each center in its deliveries and in the cohort."""
    centers = {code: label for code, label in rows.labels().items() if code != ALL}
    lines = [
        Line(
            label,
            (
                rows.text(population=code, row="DELIVERIES"),
                rows.text(population=code, row="COHORT"),
            ),
        )
        for code, label in centers.items()
    ]
    return Table("Center", ("In the deliveries", "In the cohort"), tuple(lines))


def delivery_table(rows: Rows) -> Table:
    """What stands of each center, and what became of its newest delivery."""
    centers = {code: label for code, label in rows.labels().items() if code != ALL}
    columns = {
        row["row"]: str(row["row_label"]) for row in rows.rows if row["population"] in centers
    }
    lines = [
        Line(label, tuple(rows.text(population=code, row=row) for row in columns))
        for code, label in centers.items()
    ]
    return Table("Center", tuple(columns.values()), tuple(lines))


def definition_table(rows: Rows) -> Table:
    """Variables by centers: how far the center's variable is the canonical one."""
    centers = list(dict.fromkeys(row["population"] for row in rows.rows))
    labels = {row["row"]: str(row["row_label"]) for row in rows.rows}
    lines = [
        Line(label, tuple(rows.text(population=code, row=variable) for code in centers))
        for variable, label in labels.items()
    ]
    return Table("Variable", tuple(centers), tuple(lines))


def definition_notes(rows: Rows) -> list[str]:
    """What centers say about their definitions, one sentence each."""
    return [
        f"{row['population']}, {row['row_label']}: {row['level_label']}"
        for row in rows.rows
        if row["level_label"]
    ]


def group_size_table(rows: Rows) -> Table:
    """Decisions and their alternatives by groups: patients of the cohort."""
    groups = rows.labels()
    choices = {(row["row"], row["level"]): row for row in rows.rows}
    lines = [
        Line(
            f"{row['row_label']}: {row['level_label']}",
            tuple(rows.text(row=name, level=level, population=code) for code in groups),
            is_head=str(row["level_label"]).endswith("(chosen)"),
        )
        for (name, level), row in choices.items()
    ]
    return Table("Decision", tuple(groups.values()), tuple(lines))
