"""Queries by center and state, and the exceptions that stand."""

from __future__ import annotations

from reports.sections.model import ALL, Block, Line, Note, Rows, Table

EXCEPTION = "EXCEPTION"
QUERIES = (
    "Open: the center is asked. Answered: it has answered, and its next delivery decides. Not yet asked: candidates that"
    " the data manager has not released. Settled by the data: the value was corrected, or the record was taken out."
)
EXCEPTIONS = (
    "A value that was confirmed to be correct is not asked about again until it changes. A row that"
    " a rule of severity error holds back stays held all the same: no confirmation makes an impossible value possible."
)


def blocks(rows: Rows) -> tuple[Block, ...]:
    """Both tables; that of the exceptions only where there are any."""
    made: tuple[Block, ...] = (query_table(rows), Note(QUERIES))
    if rows.one(row=EXCEPTION):
        return (*made, exception_table(rows), Note(EXCEPTIONS))
    return (*made, Note("No value was confirmed against a rule."))


def query_table(rows: Rows) -> Table:
    """Queries of each center by state; all centers together at the end."""
    states = {r["row"]: str(r["row_label"]) for r in rows.rows if r["row"] != EXCEPTION}
    labels = {
        r["population"]: str(r["population_label"]) for r in rows.rows if r["row"] != EXCEPTION
    }
    lines = [
        Line(
            label,
            tuple(rows.text(row=state, population=code) for state in states),
            is_head=code == ALL,
        )
        for code, label in labels.items()
    ]
    return Table("Center", tuple(states.values()), tuple(lines))


def exception_table(rows: Rows) -> Table:
    """Confirmed values by center and rule."""
    lines = [
        Line(
            f"{row['population_label']}: {row['row_label']}",
            (str(row["text"]), str(row["level_label"])),
        )
        for row in rows.of(row=EXCEPTION)
    ]
    return Table(
        "Center and rule",
        ("Values", "What follows"),
        tuple(lines),
        caption="Exceptions: values confirmed although a rule speaks against them",
    )
