"""Hazard ratios for the external report: without counts, and only where no level is small."""

from __future__ import annotations

from typing import Any

from reports.disclosure.tables import WITHHELD
from reports.displays.estimate import interval_text, number_text, p_text
from reports.sections.model import ALL, Line, Rows, Table


def table_of_model(rows: Rows, threshold: int) -> Table | None:
    """The primary model of a display of kind `model`; None where it has none."""
    found = [r for r in rows.of(statistic="hr", population=ALL) if r["row"] != "CONTRAST"]
    lines: list[Line] = []
    for name in dict.fromkeys(str(row["row"]) for row in found):
        mine = [row for row in found if row["row"] == name]
        safe = all(_is_safe(row, threshold) for row in mine)
        if len(mine) == 1 and mine[0]["level"] is None:
            lines.append(Line(str(mine[0]["row_label"]), _ratio(mine[0], safe)))
            continue
        lines.append(Line(str(mine[0]["row_label"]), ("", ""), is_head=True))
        lines += [
            Line(str(r["level_label"] or r["level"]), _ratio(r, safe), is_level=True) for r in mine
        ]
    return Table("", ("Hazard ratio (95% CI)", "P"), tuple(lines)) if lines else None


def table_of_forest(rows: Rows, threshold: int) -> Table | None:
    """Hazard ratios in subgroups of a display of kind `forest`."""
    lines = []
    heads: set[str] = set()
    ratios = rows.of(statistic="hr", population=ALL)
    for row in ratios:
        arms = [
            r
            for r in rows.of(row=row["row"], level=row["level"], statistic="n")
            if r["population"] != ALL
        ]
        levels = [r for r in ratios if r["row"] == row["row"]]
        every = [
            r
            for one in levels
            for r in rows.of(row=one["row"], level=one["level"], statistic="n")
            if r["population"] != ALL
        ]
        safe = bool(arms) and all(_is_safe(r, threshold) for r in every)
        head = str(row["row_label"])
        if row["level"] is not None and head not in heads:
            lines.append(Line(head, ("", ""), is_head=True))
            heads.add(head)
        label = str(row["level_label"] or head)
        lines.append(Line(label, _ratio(row, safe), is_level=row["level"] is not None))
    return Table("", ("Hazard ratio (95% CI)", "P"), tuple(lines)) if lines else None


def _is_safe(row: dict[str, Any], threshold: int) -> bool:
    """Enough patients with the event and without it."""
    size, events = int(row["n"] or 0), int(row["events"] or 0)
    return events >= threshold and size - events >= threshold


def _ratio(row: dict[str, Any], safe: bool) -> tuple[str, str]:
    if not safe:
        return (WITHHELD, WITHHELD)
    if row["value"] is None:
        is_reference = str(row["text"]).startswith("reference")
        return ("reference", "") if is_reference else ("not estimable", "")
    ratio = f"{number_text(row['value'], 2)} ({interval_text(row['lower'], row['upper'], 2)})"
    return (ratio, p_text(row["p"]))
