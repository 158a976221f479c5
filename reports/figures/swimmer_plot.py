"""Swimmer plot: a bar a patient with its lines as lettered segments, marks for what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.figures import svg

WIDTH = 780.0
LEFT, RIGHT, TOP = 74.0, 34.0, 92.0
BAR, PITCH, HEADING = 13.0, 18.0, 26.0
LETTER_ROOM = 12.0
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Pale fills on which black letters and marks are seen.
FILLS = ("#9CC9E6", "#F3BE94", "#A5D9C6", "#E3BFD6", "#E8E0A0", "#D0D0D0")
MOST_TICKS = 13


@dataclass(frozen=True)
class Segment:
    """A line from month to month; `is_open`: its end is not known."""

    kind: str
    first: float
    last: float
    is_open: bool


@dataclass(frozen=True)
class Course:
    """A patient: label, length in months, how it ends, lines, and marks (kind, month)."""

    label: str
    months: float
    end: str
    segments: tuple[Segment, ...]
    marks: tuple[tuple[str, float], ...]


def swimmer_plot(
    groups: Mapping[str, Sequence[Course]], kinds: Mapping[str, str], marks: Mapping[str, str],
    origin: str, label: str, name: str,
) -> Markup:  # fmt: skip
    """The figure as SVG.

    Args:
        groups: Heading → courses, from top to bottom.
        kinds: Kind of a segment → label.
        marks: Kind of a mark or end → label.
        origin: Where month 0 is.
        label: What the drawing is, for screen readers.
        name: Prefix of ids.
    """
    last = max((c.months for courses in groups.values() for c in courses), default=1.0)
    ticks = _ticks(last)
    height = TOP + sum(HEADING + PITCH * len(courses) for courses in groups.values())
    children: list[Markup] = [*_legend(kinds, marks), *_axis(ticks, height, origin)]
    y = TOP
    for heading, courses in groups.items():
        children.append(svg.text(0, y + 17, heading, class_="small strong"))
        y += HEADING
        for course in courses:
            children += _course(course, y, ticks[-1], list(kinds))
            y += PITCH
    return svg.figure(WIDTH, height + 46, label, children, name)


def _ticks(last: float) -> list[float]:
    step = 3.0
    while last / step >= MOST_TICKS:
        step *= 2
    n = int(-(-last // step))
    return [step * i for i in range(max(1, n) + 1)]


def _x(month: float, last: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * month / last


def _axis(ticks: Sequence[float], bottom: float, origin: str) -> Iterator[Markup]:
    for tick in ticks:
        x = _x(tick, ticks[-1])
        yield svg.line(x, TOP, x, bottom, class_="grid")
        yield svg.text(x, bottom + 17, f"{tick:g}", class_="small", text_anchor="middle")
    yield svg.line(LEFT, bottom, WIDTH - RIGHT, bottom, class_="axis")
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield svg.text(
        middle, bottom + 37, f"Months from {origin}", class_="small", text_anchor="middle"
    )


def _course(course: Course, y: float, last: float, kinds: Sequence[str]) -> Iterator[Markup]:
    middle = y + BAR / 2
    yield svg.text(LEFT - 8, middle + 4.5, course.label, class_="small", text_anchor="end")
    yield svg.line(
        _x(0, last), middle, _x(course.months, last), middle, stroke="#555555", stroke_width=1.4
    )
    for segment in course.segments:
        place = kinds.index(segment.kind)
        x1, x2 = _x(segment.first, last), _x(segment.last, last)
        yield svg.element(
            "rect", x=x1, y=y, width=max(1.5, x2 - x1), height=BAR, fill=FILLS[place % len(FILLS)],
            stroke="#444444", stroke_width=0.8, stroke_dasharray="3 2" if segment.is_open else None,
        )  # fmt: skip
        if x2 - x1 >= LETTER_ROOM:
            yield svg.text(x1 + 3, middle + 4.5, LETTERS[place % len(LETTERS)], class_="small")
    for kind, month in course.marks:
        yield _mark(kind, _x(month, last), middle)
    yield _mark(course.end, _x(course.months, last), middle)


def _mark(kind: str, x: float, y: float) -> Markup:
    """Circles filled as deep as the response; a cross, a square, an arrow, a bar for the others."""
    fills = {"PR": "#ffffff", "VGPR": "#9a9a9a", "CR": "#000000"}
    if kind == "RSP":
        d = f"M{x:.2f} {y - 5:.2f}l5 5l-5 5l-5 -5z"
        return svg.element("path", d=d, fill="#ffffff", stroke="#000000", stroke_width=1.2)
    if kind in fills:
        return svg.element(
            "circle", cx=x, cy=y, r=4.2, fill=fills[kind], stroke="#000000", stroke_width=1.2
        )
    if kind == "PD":
        d = f"M{x - 4:.2f} {y - 4:.2f}l8 8m0 -8l-8 8"
        return svg.element("path", d=d, fill="none", stroke="#000000", stroke_width=2)
    if kind == "DIED":
        return svg.element("rect", x=x - 1, y=y - 5, width=9, height=10, fill="#000000")
    if kind == "ALIVE":
        d = f"M{x:.2f} {y:.2f}h11m-5 -4.5l5 4.5l-5 4.5"
        return svg.element("path", d=d, fill="none", stroke="#000000", stroke_width=1.6)
    return svg.element("path", d=f"M{x:.2f} {y - 6:.2f}v12", stroke="#000000", stroke_width=2)


def _legend(kinds: Mapping[str, str], marks: Mapping[str, str]) -> Iterator[Markup]:
    x = LEFT
    for place, label in enumerate(kinds.values()):
        yield svg.element(
            "rect", x=x, y=8, width=18, height=BAR, fill=FILLS[place % len(FILLS)], stroke="#444444",
            stroke_width=0.8,
        )  # fmt: skip
        yield svg.text(x + 4, 19, LETTERS[place % len(LETTERS)], class_="small")
        yield svg.text(x + 24, 19, label, class_="small")
        x += 52 + 7.4 * len(label)
    x, y = LEFT, 44.0
    for kind, label in marks.items():
        width = 40 + 6.3 * len(label)
        if x + width > WIDTH:
            x, y = LEFT, y + 24
        yield _mark(kind, x + 5, y)
        yield svg.text(x + 22, y + 4.5, label, class_="small")
        x += width
