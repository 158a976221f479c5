"""Survival curves that show no single patient: coarse steps, an early end, numbers at risk rounded down."""

from __future__ import annotations

from typing import Any

from reports.displays.estimate import number_text
from reports.figures.survival_curve import Curve, Step, Words, survival_curves
from reports.sections.model import Figure, Line, Rows, Table, p_words

TENTHS = 10


def figure_of(name: str, rows: Rows, threshold: int) -> Figure | str:
    """The figure, or why there is none.

    A curve steps down only once as many patients as the threshold have had the event since its last step, to a
    whole percentage at a tenth of a month, and ends where fewer are at risk. No censored patient is marked.
    """
    labels = rows.labels(row="median")
    sizes = {str(r["population"]): int(r["n"] or 0) for r in rows.of(row="median")}
    if not sizes or min(sizes.values()) < threshold:
        return f"A group has fewer than {threshold} patients."
    lost = rows.of(row="excluded", level=None)
    if any(0 < int(r["value"] or 0) < threshold for r in lost) and not all(
        r["population"] in labels for r in lost
    ):
        return f"Fewer than {threshold} patients are in no group."
    curves = [c for code in labels if (c := curve_of(rows, code, threshold)) is not None]
    axes = rows.one(row="axes")
    words = Words(str(axes["text"]), str(axes["row_label"])) if axes else Words()
    drawing = survival_curves(curves, rows.heading, name.lower(), words=words) if curves else None
    empty = f"In no group did {threshold} patients have the event while as many were at risk."
    captions = (*_captions(rows, labels, threshold), RULES.format(threshold=threshold))
    return Figure(name, drawing, captions, empty, _at_risk_table(rows, curves))


RULES = (
    "Each step stands for at least {threshold} patients with the event, so that a curve may run above the estimate;"
    " it is rounded to a whole percentage and ends where fewer than {threshold} are at risk. Numbers at risk are"
    " rounded down to a multiple of {threshold}; <{threshold}: withheld. Censored patients are not marked, and"
    " confidence bands are withheld."
)


def curve_of(rows: Rows, code: str, threshold: int) -> Curve | None:
    """The coarse curve; None where it would show fewer events than the threshold."""
    steps = rows.of(row="curve", statistic="survival", population=code)
    made: list[Step] = []
    events = 0
    for row in steps:
        if row["n"] is None or row["n"] < threshold:
            break
        events += int(row["events"] or 0)
        if not made or events >= threshold:
            share = round(100 * float(row["value"]))
            time = round(float(row["time_months"]) * TENTHS) / TENTHS
            reading = "" if not made else f"about {share}% from month {time:g} on"
            made.append(Step(time, share / 100, None, None, reading))
            events = 0
    ticks = rows.of(row="at_risk", population=code)
    kept = [float(r["time_months"]) for r in ticks if int(r["value"]) >= threshold]
    if len(made) < 2 or not kept:
        return None
    if kept[-1] > made[-1].time:
        made.append(Step(kept[-1], made[-1].survival, None, None))
    at_risk = tuple((float(r["time_months"]), rounded(int(r["value"]), threshold)) for r in ticks)
    return Curve(str(steps[0]["population_label"] or "All patients"), tuple(made), (), at_risk)


def rounded(number: int, threshold: int) -> str:
    """Down to a multiple of the threshold; none and few look alike."""
    return f"<{threshold}" if number < threshold else str(number // threshold * threshold)


def _at_risk_table(rows: Rows, curves: list[Curve]) -> Table | None:
    if not curves:
        return None
    months = tuple(f"Month {time:g}" for time, _ in curves[0].at_risk)
    lines = tuple(Line(c.label, tuple(str(number) for _, number in c.at_risk)) for c in curves)
    return Table("Number at risk", months, lines, f"{rows.heading}: numbers at risk")


def _captions(rows: Rows, labels: dict[str, str], threshold: int) -> list[str]:
    told = []
    enough = True
    for code, label in labels.items():
        row = rows.one(row="median", population=code) or {}
        size, events = int(row.get("n") or 0), int(row.get("events") or 0)
        enough &= events >= threshold and size - events >= threshold
        told.append(f"{label}: median {_median(rows, row, code, threshold)}.")
    if test := rows.one(row="test"):
        p = p_words(str(test["text"])) if enough else "P withheld"
        told.append(f"Log-rank test {p}.")
    return told


def _median(rows: Rows, row: dict[str, Any], code: str, threshold: int) -> str:
    """In whole months, where the coarse curve reaches it."""
    curve = curve_of(rows, code, threshold)
    if curve is None:
        return "withheld (few events)"
    if row["value"] is None or row["value"] > curve.end:
        return "not reached on the curve shown"
    low, high = (
        "not shown" if limit is None or limit > curve.end else number_text(limit, 0)
        for limit in (row["lower"], row["upper"])
    )
    return f"{number_text(row['value'], 0)} months (95% CI {low} to {high})"
