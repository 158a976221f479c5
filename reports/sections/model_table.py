"""Cox models: the primary one as a table, the others beside it, diagnostics and sensitivities."""

from __future__ import annotations

from collections.abc import Iterator

from reports.figures.residual_plot import Panel, residual_plot
from reports.sections.model import (
    ALL,
    Block,
    Bullets,
    Facts,
    Figure,
    Line,
    Note,
    Rows,
    Subheading,
    Table,
)
from reports.sections.model_parts import (
    EVERY,
    MODEL_ROWS,
    RATIO,
    about_sensitivity,
    models,
    of_models,
    variables,
)
from reports.sections.model_sensitivity import sensitivity

PRIMARY = "Primary model"
# Sentences that are told once and hold of every model of the display.
ONCE = ("MERGED", "GUARANTEE_TIME")
CENTERS = ("STRATIFIED", "CLUSTERED")
LATE = ("LANDMARK", "TIME_DEPENDENT")
BESIDE = {
    "The same model, stratified or with robust errors": CENTERS,
    "The same model with what became known later, from the day on which it is known": LATE,
}
ABOUT = {
    "N": "Patients",
    "EVENTS": "Events",
    "DROPPED": "Patients left out",
    "EVENTS_PER_PARAMETER": "Events per parameter",
    "CONCORDANCE": "Concordance",
}


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """All parts that were asked for."""
    beside = [code for code in models(rows) if code.startswith(LATE + CENTERS)]
    replaced = [code for code in models(rows) if code == ALL or code.startswith(f"{ALL}|")]
    made: list[Block] = [*_primary(rows, replaced), *_contrasts(rows)]
    for heading, starts in BESIDE.items():
        if codes := [code for code in beside if code.startswith(starts)]:
            made += [
                Subheading(heading),
                _side_by_side(rows, codes if starts == LATE else [ALL, *codes]),
            ]
            made += _cautions(rows, codes)
    made += _diagnostics(name, rows)
    made += sensitivity(rows, [ALL, *(c for c in models(rows) if c not in (*beside, *replaced))])
    return (*made, *([Note(rows.note)] if rows.note else []))


def _primary(rows: Rows, replaced: list[str]) -> Iterator[Block]:
    if len(replaced) > 1:
        yield _side_by_side(rows, replaced)
        yield from _cautions(rows, replaced)
        return
    yield Table("", (RATIO, "P", "P of the variable", "Events/n"), tuple(_primary_lines(rows)))
    yield Facts("", tuple(_facts(rows, ALL)))
    yield from _cautions(rows, [ALL])


def _primary_lines(rows: Rows) -> Iterator[Line]:
    for name, levels in variables(rows, [ALL]).items():
        whole = rows.text(population=ALL, row=name, statistic="p_lr")
        yield Line(str(levels[0]["row_label"]), ("", "", whole, ""), is_head=True)
        for row in levels:
            ratio, p = _pair(rows, ALL, name, row["level"])
            counted = f"{row['events']} / {row['n']}"
            yield Line(str(row["level_label"]), (ratio, p, "", counted), is_level=True)
            if any(penalized := _pair(rows, ALL, name, row["level"], "_firth")):
                label = f"{row['level_label']}, penalized (Firth)"
                yield Line(label, (*penalized, "", ""), is_level=True)


def _pair(rows: Rows, code: str, name: str, level: str | None, kind: str = "") -> tuple[str, str]:
    """Hazard ratio and P of a level in a model as printed."""
    place = {"population": code, "row": name, "level": level}
    return (
        rows.text(**place, statistic=f"hr{kind}"), rows.text(**place, statistic=f"p{kind}")
    )  # fmt: skip


def _facts(rows: Rows, code: str) -> Iterator[tuple[str, str]]:
    for row in rows.rows:
        if row["population"] != code or row["row"] not in MODEL_ROWS:
            continue
        label = str(row["row_label"])
        if row["level_label"]:
            label = f"{label}: {row['level_label']}"
        text = str(row["text"])
        yield label, f"P {text}" if row["row"] == "GLOBAL" else text


def _contrasts(rows: Rows) -> Iterator[Block]:
    found = rows.of(population=ALL, row="CONTRAST", statistic="hr")
    if not found:
        return
    lines = []
    for row in found:
        holm = rows.text(row="CONTRAST", statistic="p_holm", level=row["level"])
        lines.append(
            Line(str(row["level_label"]), (*_pair(rows, ALL, "CONTRAST", row["level"]), holm))
        )
    model = "" if found[0]["population_label"] == PRIMARY else f" ({found[0]['population_label']})"
    yield Subheading(f"{found[0]['row_label']}: every pair{model}")
    yield Table("", (RATIO, "P", "P adjusted by Holm"), tuple(lines))


def _side_by_side(rows: Rows, codes: list[str]) -> Table:
    """Two columns a model, hazard ratio and P; below, what holds of the model."""
    labels = models(rows)
    none = ("",) * (2 * len(codes))
    lines: list[Line] = []
    for name, levels in variables(rows, codes).items():
        lines.append(Line(str(levels[0]["row_label"]), none, is_head=True))
        for row in levels:
            label = str(row["level_label"])
            for kind, more in (("", ""), ("_firth", ", penalized (Firth)")):
                pairs = [_pair(rows, code, name, row["level"], kind) for code in codes]
                if any(ratio for ratio, _ in pairs):
                    cells = tuple(cell for pair in pairs for cell in pair)
                    lines.append(Line(label + more, cells, is_level=True))
    lines.append(Line("The model", none, is_head=True))
    for row_code, label in ABOUT.items():
        texts = [rows.text(population=code, row=row_code, level=None) for code in codes]
        lines.append(Line(label, tuple(c for text in texts for c in (text, "")), is_level=True))
    heads = tuple(head for code in codes for head in (labels.get(code, code), "P"))
    return Table(RATIO, heads, tuple(lines))


def _cautions(rows: Rows, codes: list[str]) -> Iterator[Block]:
    """The sentences beside models; what several models share is said once."""
    elsewhere = ("PH", "NOT_PROPORTIONAL", "NO_DIAGNOSTICS", *about_sensitivity(rows))
    said: dict[str, list[str]] = {}
    labels = models(rows)
    for code in codes:
        for row in rows.of(population=code, row="WARNING"):
            if row["level"] not in elsewhere:
                about = EVERY if str(row["level"]).startswith(ONCE) else labels.get(code, code)
                said.setdefault(str(row["text"]), []).append(about)
        for row in rows.of(population=code, row="DROPPED"):
            if row["level"] and code != ALL:
                text = f"Left out: {row['text']} ({row['level_label']})."
                said.setdefault(text, []).append(labels.get(code, code))
    if said:
        yield Bullets(tuple(of_models(text, of, len(codes)) for text, of in said.items()))


def _diagnostics(name: str, rows: Rows) -> Iterator[Block]:
    tests = rows.of(population=ALL, row="PH")
    told = [
        str(row["text"])
        for code in ("NOT_PROPORTIONAL", "NO_DIAGNOSTICS")
        for row in rows.of(population=ALL, row="WARNING", level=code)
    ]
    if not tests and not told:
        return
    yield Subheading("Proportional hazards")
    if tests:
        lines = tuple(Line(str(row["level_label"]), (str(row["text"]),)) for row in tests)
        yield Table("", ("P",), lines)
    if told:
        yield Bullets(tuple(told))
    panels = [
        _panel(rows, code) for code in dict.fromkeys(r["level"] for r in rows.of(row="RESIDUAL"))
    ]
    if panels:
        smooth = rows.one(row="SMOOTH")
        caption = (
            "Scaled Schoenfeld residuals; a level curve agrees with one hazard ratio for all times."
        )
        method = f"Curve: {smooth['method']}." if smooth else "Too few events for a curve."
        drawing = residual_plot(
            panels, f"Residuals of the model, {rows.heading}", f"{name.lower()}-ph"
        )
        yield Figure(f"{name}_PH", drawing, (caption, method))


def _panel(rows: Rows, code: str) -> Panel:
    points = rows.of(row="RESIDUAL", level=code)
    curve = rows.of(row="SMOOTH", level=code)
    variable, _, level = code.partition("|")
    estimate = rows.one(population=ALL, row=variable, level=level or None, statistic="hr")
    constant = None
    if estimate is not None and estimate["value"]:
        from math import log

        constant = log(estimate["value"])
    title = str(estimate["row_label"]).split("; cut")[0] if estimate else variable
    return Panel(
        title, str(estimate["level_label"]) if estimate else level,
        tuple((row["time_months"], row["value"]) for row in points),
        tuple((row["time_months"], row["value"], row["lower"], row["upper"]) for row in curve),
        constant,
    )  # fmt: skip
