"""Shares of known values as a matrix: the number in each cell, its shade the same number once more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.figures import svg

WIDTH = 800.0
LEFT, TOP, LINE = 248.0, 34.0, 27.0
CHARACTER = 6.9  # width of one in the widest of usual fonts
# Share below which the next darker shade begins; what is missing is dark.
SHADES = (
    (100.0, "#ffffff"),
    (90.0, "#e9eef3"),
    (75.0, "#c3d2df"),
    (50.0, "#8fadc6"),
    (0.0, "#3f6d94"),
)
WHITE_TEXT_BELOW = 50.0
MARKED_BELOW = 75.0  # also underlined: seen without shades


@dataclass(frozen=True)
class Variable:
    """A line: its label, and per column the share in percent (None: no patients) with its text."""

    label: str
    cells: tuple[tuple[float | None, str], ...]


def completeness_matrix(
    variables: Sequence[Variable], columns: Sequence[str], label: str, name: str
) -> Markup:
    """The figure as SVG; columns are equally wide, and the longest label fits."""
    left = max(
        LEFT, 12 + CHARACTER * max((len(variable.label) for variable in variables), default=0)
    )
    width = (WIDTH - LEFT) / max(1, len(columns))
    height = TOP + LINE * len(variables) + 6
    children: list[Markup] = [
        svg.text(
            left + width * (i + 0.5), TOP - 12, column, class_="small strong", text_anchor="middle"
        )
        for i, column in enumerate(columns)
    ]
    for index, variable in enumerate(variables):
        children += _line(variable, left, TOP + LINE * index, width)
    return svg.figure(left + WIDTH - LEFT, height, label, children, name, on_paper=True)


def _line(variable: Variable, left: float, y: float, width: float) -> Iterator[Markup]:
    yield svg.text(left - 10, y + 18, variable.label, class_="small", text_anchor="end")
    for index, (share, text) in enumerate(variable.cells):
        x = left + width * index
        yield svg.element(
            "rect", x=x, y=y, width=width - 2, height=LINE - 2, fill=shade(share), stroke="#b5b5b5",
            stroke_width=0.6,
        )  # fmt: skip
        is_dark = share is not None and share < WHITE_TEXT_BELOW
        yield svg.text(
            x + (width - 2) / 2, y + 17, text, class_="small", text_anchor="middle",
            fill="#ffffff" if is_dark else "#1a1a1a",
            text_decoration="underline" if share is not None and share < MARKED_BELOW else None,
        )  # fmt: skip


def shade(share: float | None) -> str:
    """The fill of a share in percent."""
    if share is None:
        return "#ffffff"
    return next(color for least, color in SHADES if share >= least)
