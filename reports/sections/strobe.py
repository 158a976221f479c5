"""The flow of patients as a figure, from the rows of ATTRITION."""

from __future__ import annotations

from reports.figures.strobe import Step, strobe
from reports.sections.model import ALL, Figure, Rows

FIRST, LAST = "DELIVERIES", "COHORT"
NAME = "STROBE"
HEADING = "Flow of patients from the deliveries to the cohort, by center"


def strobe_figure(rows: Rows) -> Figure:
    """The figure; reasons that no patient has are not drawn, but told."""
    steps = {str(row["row"]): row for row in rows.of(population=ALL)}
    if FIRST not in steps or LAST not in steps:
        return Figure(NAME, None, (), "The warehouse does not tell how the cohort was found.")
    centers = {code: label for code, label in rows.labels().items() if code != ALL}
    counts = {
        (row["row"], row["population"]): int(row["value"])
        for row in rows.rows
        if row["value"] is not None
    }
    made = {
        name: Step(
            str(row["row_label"]),
            counts[name, ALL],
            tuple(counts.get((name, code), 0) for code in centers),
        )
        for name, row in steps.items()
    }
    reasons = [step for name, step in made.items() if name not in (FIRST, LAST) and step.number]
    drawing = strobe(
        made[FIRST], reasons, made[LAST], tuple(centers.values()), HEADING, NAME.lower()
    )
    return Figure(NAME, drawing, tuple(_caption(made)))


def _caption(made: dict[str, Step]) -> list[str]:
    others = [step for name, step in made.items() if name not in (FIRST, LAST)]
    caption = ["Each patient who is not in the cohort has one reason, the first that holds."]
    if empty := [step.label for step in others if not step.number]:
        caption.append(f"Reasons that no patient has: {'; '.join(empty)}.")
    missing = made[FIRST].number - made[LAST].number - sum(step.number for step in others)
    if missing:
        caption.append(f"These numbers do not add up: {missing} patients have no reason.")
    return caption
