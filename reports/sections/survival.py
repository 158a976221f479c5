"""Survival curves with medians, P and exclusions in the caption."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reports.displays.estimate import interval_text, number_text
from reports.figures.survival_curve import MOST_MARKS, Curve, Step, Words, survival_curves
from reports.sections.model import Block, Figure, Line, Note, Rows, Table, p_words


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """The figure; tables of survival at months and of pairs, where they were asked for."""
    made: list[Block] = [survival_figure(name, rows)]
    means = [row for row in rows.of(row="rmst") if row["population_label"]]
    if points := rows.of(row="at_months") + means:
        made.append(_points(points))
    if pairs := rows.of(row="pair", statistic="p"):
        made.append(_pairs(rows, pairs))
    if differences := rows.of(row="rmst_difference", statistic="difference"):
        made.append(_differences(rows, differences))
    return (*made, *([Note(rows.note)] if rows.note else []))


def _points(points: list[dict[str, object]]) -> Table:
    columns = list(dict.fromkeys(str(row["row_label"]) for row in points))
    populations = list(dict.fromkeys(str(row["population_label"]) for row in points))
    cells = {(row["population_label"], row["row_label"]): str(row["text"]) for row in points}
    lines = [Line(p, tuple(cells.get((p, column), "") for column in columns)) for p in populations]
    return Table("", tuple(columns), tuple(lines))


def _pairs(rows: Rows, pairs: list[dict[str, object]]) -> Table:
    lines = [
        Line(
            f"{row['population_label']} against {row['level_label']}",
            (
                str(row["text"]),
                rows.text(
                    row="pair", statistic="p_holm", population=row["population"], level=row["level"]
                ),
            ),
        )
        for row in pairs
    ]
    return Table("Log-rank test of two", ("P", "P adjusted by Holm"), tuple(lines))


def _differences(rows: Rows, differences: list[dict[str, object]]) -> Table:
    """Difference of restricted means of each pair, with what becomes of its curves."""
    several = len(differences) > 1
    lines = []
    for row in differences:
        place = {"population": row["population"], "level": row["level"]}
        found = [
            rows.text(row="rmst_difference", statistic=kind, **place) for kind in ("p", "p_holm")
        ]
        tests = found if several else found[:1]
        crossing = [rows.text(row="crossing", statistic=kind, **place) for kind in ("n", "lead")]
        cells = (str(row["text"]), *tests, *crossing)
        lines.append(Line(f"{row['population_label']} against {row['level_label']}", cells))
    holm = ("P adjusted by Holm",) if several else ()
    heads = ("Difference (95% CI)", "P", *holm, "Crossings", "Largest leads, %")
    return Table(str(differences[0]["row_label"]), heads, tuple(lines))


def survival_figure(name: str, rows: Rows) -> Figure:
    """The curves of all populations that have patients."""
    populations = rows.labels(row="median")
    curves = [curve for code in populations if (curve := _curve(rows, code))]
    axes = rows.one(row="axes")
    words = Words(str(axes["text"]), str(axes["row_label"])) if axes else Words()
    drawing = (
        survival_curves(
            curves, rows.heading, name.lower(), with_interval=len(populations) == 1, words=words
        )
        if curves
        else None
    )
    caption = tuple(_caption(rows, populations))
    empty = rows.text(row="WARNING", level="EMPTY") or "No patient has a survival time."
    return Figure(name, drawing, caption, empty, _numbers(rows, populations))


def _numbers(rows: Rows, populations: dict[str, str]) -> Table | None:
    """Numbers at risk as a table, for those who do not see the figure."""
    found = rows.of(row="at_risk")
    if not found:
        return None
    months = list(dict.fromkeys(str(row["level"]) for row in found))
    cells = {(row["population"], str(row["level"])): str(row["text"]) for row in found}
    lines = [
        Line(label, tuple(cells.get((code, month), "") for month in months))
        for code, label in populations.items()
    ]
    heads = tuple(f"Month {month}" for month in months)
    return Table("Number at risk", heads, tuple(lines), f"{rows.heading}: numbers at risk")


def _curve(rows: Rows, code: str) -> Curve | None:
    steps = rows.of(row="curve", statistic="survival", population=code)
    if not steps:
        return None
    censored = rows.of(row="curve", statistic="censored", population=code)
    at_risk = rows.of(row="at_risk", population=code)
    return Curve(
        str(steps[0]["population_label"]),
        tuple(
            Step(row["time_months"], row["value"], row["lower"], row["upper"], _reading(row))
            for row in steps
        ),
        tuple((row["time_months"], row["value"]) for row in censored),
        tuple((row["time_months"], int(row["value"])) for row in at_risk),
    )


def _reading(row: dict[str, Any]) -> str:
    """What is read of a step: the estimate from its month on, its interval, the number at risk there."""
    value, lower, upper = (
        None if row[name] is None else 100 * row[name] for name in ("value", "lower", "upper")
    )
    limits = (
        "" if lower is None and upper is None else f" (95% CI {interval_text(lower, upper, 0)})"
    )
    month = number_text(row["time_months"], 1)
    return f"{number_text(value, 0)}%{limits} from month {month} on, with {row['n']} at risk"


def _caption(rows: Rows, populations: dict[str, str]) -> Iterator[str]:
    axes = rows.one(row="axes") or {}
    words = (str(axes.get("level") or "event"), str(axes.get("level_label") or "events"))
    for code, label in populations.items():
        found = rows.one(row="median", population=code)
        if found and found["n"]:
            counted = (
                f"{_many(found['events'], *words)} in {_many(found['n'], 'patient', 'patients')}"
            )
            yield f"{label}: median {found['text']}; {counted}."
        elif found:
            yield f"{label}: {found['text']}."
    if test := rows.one(row="test"):
        yield f"Log-rank test {p_words(str(test['text']))}."
    if test := rows.one(row="ph"):
        yield f"Test of proportional hazards {p_words(str(test['text']))}."
    yield from _cautions(rows)
    if follow_up := rows.one(row="follow_up"):
        yield f"Median follow-up {follow_up['text']} (reverse Kaplan-Meier)."
    left_out = [row for row in rows.of(row="excluded") if row["level"] and row["value"]]
    for row in left_out:
        yield f"Left out, {row['population_label']}: {row['text']} ({row['level_label']})."
    if not populations or not rows.of(row="curve"):
        return
    band = " Band: pointwise 95% confidence interval." if len(populations) == 1 else ""
    most = max(
        len(rows.of(row="curve", statistic="censored", population=code)) for code in populations
    )
    marks = ", not drawn where they would hide a curve" if most > MOST_MARKS else ""
    yield f"Vertical ticks: censored patients{marks}.{band}"


def _many(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _cautions(rows: Rows) -> Iterator[str]:
    """What must be known to read the curves; why there are none stands in their place."""
    for row in rows.of(row="WARNING"):
        if row["level"] != "EMPTY":
            yield str(row["text"])
