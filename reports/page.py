"""What the page shows: tables, figures and captions made from rows of `analysis.estimate`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from reports.figures.stacked_bar import Bar, stacked_bar
from reports.figures.survival_curve import Curve, Step, survival_curves

ALL = "ALL"
MISSING = "missing"
PANELS = {
    "F1C": "Figure 1C. Overall survival from first salvage, by group",
    "S1A": "Figure S1A. Overall survival from first salvage, whole cohort",
}


@dataclass(frozen=True)
class Line:
    """A row of a printed table."""

    label: str
    cells: tuple[str, ...]
    is_head: bool = False
    is_level: bool = False


@dataclass(frozen=True)
class Table:
    """A printed table."""

    corner: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Panel:
    """A survival figure with its caption."""

    name: str
    heading: str
    figure: Markup | None
    caption: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """Rows of one display in order."""

    rows: Sequence[dict[str, Any]] = field(default_factory=tuple)

    def of(self, **wanted: Any) -> list[dict[str, Any]]:
        """The rows whose columns have these values."""
        return [row for row in self.rows if all(row[key] == value for key, value in wanted.items())]

    def one(self, **wanted: Any) -> dict[str, Any] | None:
        """The first such row, None if there is none."""
        return next(iter(self.of(**wanted)), None)

    def text(self, **wanted: Any) -> str:
        """The printed text of the first such row, empty if there is none."""
        row = self.one(**wanted)
        return str(row["text"]) if row and row["text"] is not None else ""

    def labels(self, **wanted: Any) -> dict[str, str]:
        """Population → label in order of appearance."""
        return {row["population"]: str(row["population_label"]) for row in self.of(**wanted)}


def table_1(rows: Rows) -> Table:
    """Table 1 as printed: a column a group, all patients, and P."""
    populations = rows.labels(row="N")
    heads = tuple(
        f"{label} (n\u00a0=\u00a0{rows.text(row='N', population=code)})"
        for code, label in populations.items()
    )
    lines: list[Line] = []
    for name in dict.fromkeys(row["row"] for row in rows.rows if row["row"] != "N"):
        lines += _variable(rows, name, tuple(populations))
    return Table("", (*heads, "P"), tuple(lines))


def _variable(rows: Rows, name: str, populations: tuple[str, ...]) -> Iterator[Line]:
    first = rows.of(row=name)[0]
    p = rows.text(row=name, statistic="p")
    if median := rows.of(row=name, statistic="median"):
        medians = {row["population"]: str(row["text"]) for row in median}
        yield Line(str(first["row_label"]), (*(medians[c] for c in populations), p), is_head=True)
    else:
        counted = rows.of(row=name, statistic="n")
        levels = [
            level for level in dict.fromkeys(row["level"] for row in counted) if level != MISSING
        ]
        if levels == ["Y", "N"]:
            yield Line(
                str(first["row_label"]), (*_cells(rows, name, "Y", populations), p), is_head=True
            )
        else:
            yield Line(str(first["row_label"]), ("",) * len(populations) + (p,), is_head=True)
            for level in levels:
                label = str(rows.of(row=name, level=level)[0]["level_label"])
                cells = _cells(rows, name, level, populations)
                yield Line(label, (*cells, ""), is_level=True)
    missing = rows.of(row=name, level=MISSING)
    if any(row["value"] for row in missing):
        yield Line("Missing", (*_cells(rows, name, MISSING, populations), ""), is_level=True)


def _cells(rows: Rows, name: str, level: str, populations: tuple[str, ...]) -> Iterator[str]:
    for code in populations:
        yield rows.text(row=name, level=level, statistic="n", population=code)


def response_table(rows: Rows) -> Table:
    """The numbers behind figure 1A."""
    populations = rows.labels(row="BESTRESP", statistic="n")
    lines = []
    for level in dict.fromkeys(row["level"] for row in rows.of(row="BESTRESP", statistic="n")):
        counted = rows.of(row="BESTRESP", level=level, statistic="n")
        label = str(counted[0]["level_label"])
        lines.append(Line(label, (*(str(row["text"]) for row in counted), "")))
    for name, statistic in (("ORR", "percent"), ("CRR", "percent"), ("NOT_ASSESSED", "n")):
        found = rows.of(row=name, statistic=statistic)
        p = rows.text(row=name, statistic="p")
        cells = (*(str(row["text"]) for row in found), p)
        lines.append(Line(str(found[0]["row_label"]), cells, is_head=name == "ORR"))
    return Table("", (*populations.values(), "P"), tuple(lines))


def response_figure(rows: Rows) -> Markup:
    """Figure 1A: a stacked bar a group, with the overall response rate at its end."""
    populations = rows.labels(row="BESTRESP", statistic="n")
    bars = []
    for code, label in populations.items():
        shares = rows.of(row="BESTRESP", statistic="percent", population=code)
        rate = rows.one(row="ORR", statistic="percent", population=code)
        bars.append(
            Bar(
                label,
                tuple(row["value"] or 0.0 for row in shares),
                tuple(f"{row['text']}%" for row in shares),
                _rate_text(rate),
            )
        )
    classes = [
        str(row["level_label"])
        for row in rows.of(row="BESTRESP", statistic="percent", population=next(iter(populations)))
    ]
    return stacked_bar(bars, classes, "Best response to the first salvage by group", "f1a")


def _rate_text(rate: dict[str, Any] | None) -> str:
    if not rate or rate["value"] is None:
        return "no patients"
    return f"ORR {str(rate['text']).split(' ')[0]}"


def response_caption(rows: Rows) -> str:
    """What the figure says, in words."""
    best, overall = (rows.text(row=name, statistic="p") for name in ("BESTRESP", "ORR"))
    return (
        f"ORR: overall response rate. Best response by group {_p(best)};"
        f" overall response by group {_p(overall)}."
    )


def _p(text: str) -> str:
    return f"P {text}" if text.startswith(("<", ">")) else f"P = {text}"


def survival_panel(name: str, rows: Rows) -> Panel:
    """One survival figure with medians, P and exclusions in its caption."""
    populations = rows.labels(row="median")
    curves = [curve for code in populations if (curve := _curve(rows, code))]
    heading = PANELS[name]
    drawing = (
        survival_curves(curves, heading, name.lower(), with_interval=len(populations) == 1)
        if curves
        else None
    )
    return Panel(name, heading, drawing, tuple(_caption(rows, populations)))


def _curve(rows: Rows, code: str) -> Curve | None:
    steps = rows.of(row="curve", statistic="survival", population=code)
    if not steps:
        return None
    censored = rows.of(row="curve", statistic="censored", population=code)
    at_risk = rows.of(row="at_risk", population=code)
    return Curve(
        str(steps[0]["population_label"]),
        tuple(Step(row["time_months"], row["value"], row["lower"], row["upper"]) for row in steps),
        tuple((row["time_months"], row["value"]) for row in censored),
        tuple((row["time_months"], int(row["value"])) for row in at_risk),
    )


def _caption(rows: Rows, populations: dict[str, str]) -> Iterator[str]:
    for code, label in populations.items():
        found = rows.one(row="median", population=code)
        if found:
            yield f"{label}: median {found['text']}; {found['events']} deaths in {found['n']} patients."
    if test := rows.one(row="test"):
        yield f"Log-rank test {_p(str(test['text']))}."
    if follow_up := rows.one(row="follow_up"):
        yield f"Median follow-up {follow_up['text']} (reverse Kaplan-Meier)."
    left_out = [row for row in rows.of(row="excluded") if row["level"] and row["value"]]
    for row in left_out:
        yield f"Left out, {row['population_label']}: {row['text']} ({row['level_label']})."
    band = " Band: pointwise 95% confidence interval." if len(populations) == 1 else ""
    yield f"Vertical ticks: censored patients.{band}"


def attrition_table(rows: Rows) -> Table:
    """Every step from the warehouse to the cohort, all centers together."""
    lines = [
        Line(
            str(row["row_label"]),
            (str(row["text"]),),
            is_head=row["row"] in ("WAREHOUSE", "COHORT"),
        )
        for row in rows.of(population=ALL)
        if row["value"] or row["row"] in ("WAREHOUSE", "COHORT")
    ]
    return Table("Step", ("Patients",), tuple(lines))


def center_table(rows: Rows) -> Table:
    """Patients of each center in the warehouse and in the cohort."""
    centers = {code: label for code, label in rows.labels().items() if code != ALL}
    lines = [
        Line(
            label,
            (rows.text(population=code, row="WAREHOUSE"), rows.text(population=code, row="COHORT")),
        )
        for code, label in centers.items()
    ]
    return Table("Center", ("In the warehouse", "In the cohort"), tuple(lines))


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
