"""Flow of patients: who was there, who left and why, who is analysed; below it the same by center."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.figures import svg

WIDTH = 780.0
BOX_LEFT, BOX, SIDE_LEFT = 4.0, 270.0, 330.0
TOP, HEIGHT, LINE = 8.0, 52.0, 20.0
CENTER_LEFT, CELL = 4.0, 25.0
LETTER = 6.9


@dataclass(frozen=True)
class Step:
    """Patients of one kind: label, number in all, number by center."""

    label: str
    number: int
    by_center: tuple[int, ...]


def strobe(
    first: Step, reasons: Sequence[Step], last: Step, centers: Sequence[str], label: str, name: str
) -> Markup:
    """The figure as SVG: boxes with arrows, then a line a center."""
    side = max(HEIGHT, 34 + LINE * max(1, len(reasons)))
    middle = TOP + HEIGHT + 24 + side / 2
    end = TOP + HEIGHT + side + 48
    x = BOX_LEFT + BOX / 2
    children: list[Markup] = [
        *_box(BOX_LEFT, TOP, BOX, first),
        svg.line(x, TOP + HEIGHT, x, end - 2, class_="axis"),
        _arrow_down(x, end),
        svg.line(x, middle, SIDE_LEFT - 2, middle, class_="axis"),
        _arrow_right(SIDE_LEFT, middle),
        *_reasons(middle - side / 2, side, reasons),
        *_box(BOX_LEFT, end, BOX, last),
    ]
    top = end + HEIGHT + 40
    children += _centers(top, [first, *reasons, last], centers)
    height = top + _head_height([first, *reasons, last]) + CELL * len(centers) + 8
    return svg.figure(WIDTH, height, label, children, name)


def _frame(x: float, y: float, width: float, height: float) -> Markup:
    return svg.element(
        "rect",
        x=x,
        y=y,
        width=width,
        height=height,
        fill="#ffffff",
        stroke="#1a1a1a",
        stroke_width=1.3,
    )


def _box(x: float, y: float, width: float, step: Step) -> Iterator[Markup]:
    yield _frame(x, y, width, HEIGHT)
    yield svg.text(x + width / 2, y + 21, step.label, text_anchor="middle")
    yield svg.text(
        x + width / 2, y + 41, f"n = {step.number}", class_="strong", text_anchor="middle"
    )


def _reasons(y: float, height: float, reasons: Sequence[Step]) -> Iterator[Markup]:
    total = sum(step.number for step in reasons)
    yield _frame(SIDE_LEFT, y, WIDTH - SIDE_LEFT - 4, height)
    yield svg.text(SIDE_LEFT + 12, y + 22, f"Not in the cohort, n = {total}", class_="strong")
    for index, step in enumerate(reasons):
        place = y + 22 + LINE * (index + 1)
        yield svg.text(SIDE_LEFT + 24, place, f"{step.label}: {step.number}", class_="small")


def _arrow_down(x: float, y: float) -> Markup:
    return svg.element("path", d=f"M{x - 5:.2f} {y - 9:.2f}h10l-5 9z", fill="#1a1a1a")


def _arrow_right(x: float, y: float) -> Markup:
    return svg.element("path", d=f"M{x - 9:.2f} {y - 5:.2f}v10l9 -5z", fill="#1a1a1a")


def _head_height(steps: Sequence[Step]) -> float:
    room = _column(steps)
    return 20.0 + 16.0 * max(len(_wrapped(step.label, room)) for step in steps)


def _column(steps: Sequence[Step]) -> float:
    return (WIDTH - CENTER_LEFT - 90) / len(steps)


def _wrapped(text: str, room: float) -> list[str]:
    """The words in lines that fit into the width."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(longer) * LETTER > room - 8:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _centers(top: float, steps: Sequence[Step], centers: Sequence[str]) -> Iterator[Markup]:
    """Centers by steps, heads bottom-aligned above their numbers."""
    width, head = _column(steps), _head_height(steps)
    left = CENTER_LEFT + 90
    bottom = top + head - 14
    yield svg.text(CENTER_LEFT, bottom, "Center", class_="small strong")
    for index, step in enumerate(steps):
        lines = _wrapped(step.label, width)
        for place, words in enumerate(lines):
            y = bottom - 16.0 * (len(lines) - 1 - place)
            yield svg.text(
                left + width * (index + 1) - 8, y, words, class_="small strong", text_anchor="end"
            )
    yield svg.line(CENTER_LEFT, bottom + 8, WIDTH - 4, bottom + 8, class_="axis")
    for row, center in enumerate(centers):
        y = bottom + 8 + CELL * (row + 1) - 7
        yield svg.text(CENTER_LEFT, y, center, class_="small")
        for index, step in enumerate(steps):
            number = str(step.by_center[row])
            yield svg.text(
                left + width * (index + 1) - 8, y, number, class_="small", text_anchor="end"
            )
