"""Competing risks: both cumulative incidences, incidence at months, Gray's tests, and two models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.figures.incidence_curve import Incidences, incidence_curves
from reports.sections.model import Block, Figure, Line, Note, Rows, Table, p_words

MEANING = (
    "Cumulative incidence: share of the group that had the event by then; whoever had the other event first can no"
    " longer have it. Subdistribution hazard ratio: how the incidence differs (prognosis). Cause-specific hazard"
    " ratio: how the rate differs among those who are free of both (cause). They answer different questions and"
    " need not agree."
)


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """Figure, incidence at months, both models side by side."""
    made: list[Block] = [_figure(name, rows)]
    if rows.one(row="at_months"):
        made.append(_at_months(rows))
    if rows.one(row="model"):
        made.append(_models(rows))
    made.append(Note(f"{MEANING} {' '.join(_methods(rows))} {rows.note}".strip()))
    return tuple(made)


def _causes(rows: Rows) -> dict[str, str]:
    return {row["level"]: str(row["level_label"]) for row in rows.of(row="size")}


def _figure(name: str, rows: Rows) -> Figure:
    causes = _causes(rows)
    groups = [
        Incidences(
            label,
            tuple(
                tuple(
                    (row["time_months"], row["value"], str(row["text"]))
                    for row in rows.of(row="curve", population=code, level=cause)
                )
                for cause in causes
            ),
            tuple(
                (row["time_months"], int(row["value"]))
                for row in rows.of(row="at_risk", population=code)
            ),
        )
        for code, label in rows.labels(row="curve").items()
    ]
    origin = rows.text(row="origin")
    drawing = (
        incidence_curves(groups, tuple(causes.values()), origin, rows.heading, name.lower())
        if groups
        else None
    )
    return Figure(name, drawing, tuple(_caption(rows)), "No patient of the cohort has a time.")


def _caption(rows: Rows) -> Iterator[str]:
    for code, label in rows.labels(row="size").items():
        counted = rows.of(row="size", population=code)
        if not counted[0]["n"]:
            yield f"{label}: no patients."
            continue
        parts = [f"{row['row_label'].lower()} {row['text']}" for row in counted]
        yield f"{label}: {', '.join(parts)}."
    for test in rows.of(row="gray"):
        yield f"Gray's test, {str(test['level_label']).lower()}: {p_words(str(test['text']))}."
    for row in rows.of(row="WARNING"):
        yield str(row["text"])
    for row in rows.of(row="excluded"):
        if row["level"]:
            yield f"Left out: {row['text']} ({row['level_label']})."


def _at_months(rows: Rows) -> Table:
    """Causes by groups, a column a month."""
    found = rows.of(row="at_months")
    months = dict.fromkeys(str(row["level"]).partition("|")[2] for row in found)
    lines: list[Line] = []
    for cause, name in _causes(rows).items():
        lines.append(Line(name, ("",) * len(months), is_head=True))
        for code, label in rows.labels(row="at_months").items():
            cells = (
                rows.text(row="at_months", population=code, level=f"{cause}|{month}")
                for month in months
            )
            lines.append(Line(label, tuple(cells), is_level=True))
    heads = tuple(f"{month} months" for month in months)
    return Table("Cumulative incidence", heads, tuple(lines))


def _models(rows: Rows) -> Table:
    """Causes by groups; the two hazard ratios stand side by side."""
    found = rows.of(row="model")
    heads = {row["statistic"]: str(row["row_label"]) for row in found}
    lines: list[Line] = []
    for cause, name in _causes(rows).items():
        lines.append(Line(name, ("",) * (1 + len(heads)), is_head=True))
        for code, label in rows.labels(row="model").items():
            mine = rows.of(row="model", population=code, level=cause)
            lines.append(
                Line(label, (_events(mine[0]), *(str(r["text"]) for r in mine)), is_level=True)
            )
        tests = rows.of(row="ph", level=cause)
        lines += [Line(str(r["row_label"]), ("", "", str(r["text"])), is_level=True) for r in tests]
    return Table("Event", ("Events / patients", *heads.values()), tuple(lines))


def _events(row: dict[str, Any]) -> str:
    return f"{row['events']} / {row['n']}"


def _methods(rows: Rows) -> Iterator[str]:
    """What was computed, each method once."""
    wanted = [row for row in rows.rows if row["row"] in ("curve", "gray", "model", "ph")]
    for method in dict.fromkeys(str(row["method"]) for row in wanted if row["method"]):
        yield f"{method}."
