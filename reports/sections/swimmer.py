"""Courses of single patients as a swimmer plot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.figures.swimmer_plot import Course, Segment, swimmer_plot
from reports.sections.model import ALL, Block, Figure, Note, Rows

MEANING = (
    "One bar a patient, grouped by first salvage, the longest course first. Letters: the class of the line; a dashed"
    " frame: the end of the line is not known, the bar reaches to the next line or to the end of the course; thin"
    " line: no therapy known. The number is the rank of the pseudonym in the cohort. Ends: death, or the last day"
    " known alive, at most the data cut. Responses: each that is deeper than those of the line before it; progressions: the first of"
    " each line. Dates that were imputed are drawn as"
    " imputed."
)


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """Figure and note."""
    groups: dict[str, list[Course]] = {}
    segments = _by_patient(rows, "line")
    marks = _by_patient(rows, "mark")
    for row in rows.of(row="patient"):
        rank = str(row["level"])
        course = Course(
            rank,
            float(row["value"]),
            str(row["statistic"]),
            tuple(
                Segment(
                    str(r["level"]).split("|")[2], r["lower"], r["upper"], r["statistic"] == "open"
                )
                for r in segments.get(rank, [])
            ),
            tuple((str(r["statistic"]), float(r["value"])) for r in marks.get(rank, [])),
        )
        groups.setdefault(str(row["population_label"]), []).append(course)
    drawn = [r for r in rows.rows if r["row"] in ("mark", "patient")]
    order = {
        kind: place for place, kind in enumerate(("RSP", "PR", "VGPR", "CR", "PD", "DIED", "ALIVE"))
    }
    used = {str(r["statistic"]): str(r["level_label"]) for r in drawn}
    named = {k: used[k] for k in sorted(used, key=lambda kind: order.get(kind, len(order)))}
    labels = list(rows.labels(row="drawn").values())
    ordered = {label: groups[label] for label in sorted(groups, key=lambda x: _place(labels, x))}
    drawing = (
        swimmer_plot(ordered, _kinds(rows), named, "first salvage", rows.heading, name.lower())
        if groups
        else None
    )
    figure = Figure(name, drawing, tuple(_caption(rows)), "No course can be drawn.")
    return (figure, Note(f"{MEANING} {rows.note}".strip()))


def _place(labels: list[str], label: str) -> int:
    return labels.index(label) if label in labels else len(labels)


def _by_patient(rows: Rows, kind: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.of(row=kind):
        found.setdefault(str(row["level"]).split("|")[0], []).append(row)
    return found


def _kinds(rows: Rows) -> dict[str, str]:
    """Kinds of the segments, those that are groups of the first salvage in their order."""
    kinds = {str(r["level"]).split("|")[2]: str(r["level_label"]) for r in rows.of(row="line")}
    groups = list(rows.labels(row="drawn"))
    return {k: kinds[k] for k in sorted(kinds, key=lambda kind: (_place(groups, kind), kind))}


def _caption(rows: Rows) -> Iterator[str]:
    drawn = rows.one(row="drawn", population=ALL)
    if drawn and drawn["value"] < drawn["n"]:
        parts = [
            f"{r['population_label']} {r['text']}" for r in rows.of(row="drawn") if r is not drawn
        ]
        yield (
            f"The {int(drawn['value'])} longest courses of {drawn['n']} patients ({'; '.join(parts)}): they are"
            " not a picture of all."
        )
    left_out = rows.one(row="excluded")
    if left_out and left_out["value"]:
        yield f"{left_out['row_label']}: {left_out['text']}."
    for row in rows.of(row="not_run"):
        yield str(row["text"])
