"""Hazard ratios with their intervals on a log axis, one line a subgroup, the numbers beside them."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from reports.figures import svg

WIDTH = 960.0
ROW, TOP = 23.0, 60.0
LEVEL_INDENT = 16.0
ARMS = (310.0, 390.0)  # centers of the columns of the arms, the treatment first
PLOT_LEFT, PLOT_RIGHT = 445.0, 690.0
RATIO_AT, P_AT = 705.0, WIDTH - 6.0
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
WIDEST = (0.02, 50.0)
HALF_MARK = 5.0
LONGEST = 62  # characters of a heading that fit before the plot


@dataclass(frozen=True)
class Ratio:
    """A line of the figure; without `value` only its texts are printed.

    `arms` are the texts of the treatment and the reference, `p` that of the interaction (on a heading).
    """

    label: str
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    text: str = ""
    arms: tuple[str, str] = ("", "")
    p: str = ""
    is_head: bool = False
    is_overall: bool = False


@dataclass(frozen=True)
class Heads:
    """What stands over the columns and under the axis."""

    arms: tuple[str, str]
    events: str
    ratio: str
    p: str


def forest_plot(ratios: Sequence[Ratio], heads: Heads, label: str, name: str) -> Markup:
    """The figure as SVG; a heading that would run into the plot stands on several lines."""
    axis = _Axis.of(ratios)
    ratios = [line for ratio in ratios for line in _lines(ratio)]
    bottom = TOP + ROW * len(ratios) + 6
    children = [
        *_heads(heads),
        *_grid(axis, bottom),
        *(part for k, ratio in enumerate(ratios) for part in _line(ratio, axis, TOP + ROW * k)),
        *_sides(heads, axis, bottom),
    ]
    return svg.figure(WIDTH, bottom + 62, label, children, name)


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    @classmethod
    def of(cls, ratios: Sequence[Ratio]) -> _Axis:
        """From the tick below the lowest limit to the one above the highest, both sides of 1."""
        ends = [
            end
            for ratio in ratios
            for end in (ratio.lower, ratio.upper, ratio.value)
            if end is not None and end > 0
        ]
        low = max(min([0.5, *ends]), WIDEST[0])
        high = min(max([2.0, *ends]), WIDEST[1])
        return cls(
            max(tick for tick in TICKS if tick <= low), min(tick for tick in TICKS if tick >= high)
        )

    @property
    def ticks(self) -> list[float]:
        """Ticks of the axis; every other one where they would crowd."""
        inside = [tick for tick in TICKS if self.low <= tick <= self.high]
        decades = [t for t in inside if round(math.log10(t), 6) % 1 == 0 or t in (0.5, 2.0)]
        return inside if len(inside) <= 8 else decades

    def x(self, value: float) -> float:
        """Place of a hazard ratio, at the border if it lies beyond."""
        inside = min(max(value, self.low), self.high)
        share = math.log(inside / self.low) / math.log(self.high / self.low)
        return PLOT_LEFT + share * (PLOT_RIGHT - PLOT_LEFT)


def _heads(heads: Heads) -> Iterator[Markup]:
    for x, arm in zip(ARMS, heads.arms, strict=True):
        for k, part in enumerate(_two_lines(arm)):
            yield svg.text(x, 14.0 + 15 * k, part, class_="small strong", text_anchor="middle")
        yield svg.text(x, 46.0, heads.events, class_="small", text_anchor="middle")
    yield svg.text(RATIO_AT, 46.0, heads.ratio, class_="small strong")
    for k, part in enumerate(_two_lines(heads.p)):
        yield svg.text(P_AT, 31.0 + 15 * k, part, class_="small strong", text_anchor="end")


def _two_lines(text: str) -> tuple[str, str]:
    """Broken at the blank nearest to the middle; one line stands below."""
    places = [k for k, letter in enumerate(text) if letter == " "]
    if not places:
        return ("", text)
    at = min(places, key=lambda k: abs(k - len(text) / 2))
    return (text[:at], text[at + 1 :])


def _grid(axis: _Axis, bottom: float) -> Iterator[Markup]:
    for tick in axis.ticks:
        yield svg.line(axis.x(tick), TOP - 8, axis.x(tick), bottom, class_="grid")
        yield svg.text(axis.x(tick), bottom + 17, f"{tick:g}", class_="small", text_anchor="middle")
    yield svg.line(axis.x(1.0), TOP - 8, axis.x(1.0), bottom, class_="axis")
    yield svg.line(PLOT_LEFT, bottom, PLOT_RIGHT, bottom, class_="axis")


def _sides(heads: Heads, axis: _Axis, bottom: float) -> Iterator[Markup]:
    yield svg.text((PLOT_LEFT + PLOT_RIGHT) / 2, bottom + 36, "Hazard ratio (log scale)", class_="small",
                   text_anchor="middle")  # fmt: skip
    yield svg.text(
        axis.x(1.0) - 10,
        bottom + 54,
        f"← {heads.arms[0]} better",
        class_="small",
        text_anchor="end",
    )
    yield svg.text(axis.x(1.0) + 10, bottom + 54, f"{heads.arms[1]} better →", class_="small")


def _lines(ratio: Ratio) -> list[Ratio]:
    """The line, a long heading before it in parts; its numbers stand beside the last."""
    *parts, last = textwrap.wrap(ratio.label, LONGEST) or [ratio.label]
    return [*(Ratio(part, is_head=True) for part in parts), replace(ratio, label=last)]


def _line(ratio: Ratio, axis: _Axis, y: float) -> Iterator[Markup]:
    base = y + 16
    is_strong = ratio.is_head or ratio.is_overall
    style = "small strong" if is_strong else "small"
    yield svg.text(0 if is_strong else LEVEL_INDENT, base, ratio.label, class_=style)
    for x, text in zip(ARMS, ratio.arms, strict=True):
        yield svg.text(x, base, text, class_="small", text_anchor="middle")
    if ratio.text:
        yield svg.text(RATIO_AT, base, ratio.text, class_="small")
    if ratio.p:
        yield svg.text(P_AT, base, ratio.p, class_="small", text_anchor="end")
    if ratio.value is not None and ratio.lower is not None and ratio.upper is not None:
        yield from _mark(ratio, axis, y + 11, ratio.lower, ratio.upper)


def _mark(ratio: Ratio, axis: _Axis, y: float, lower: float, upper: float) -> Iterator[Markup]:
    left, right, middle = axis.x(lower), axis.x(upper), axis.x(ratio.value or 1.0)
    if ratio.is_overall:
        points = f"{left:.1f},{y} {middle:.1f},{y - 7} {right:.1f},{y} {middle:.1f},{y + 7}"
        yield svg.element("polygon", points=points, fill=svg.BLUE)
        return
    yield svg.line(left, y, right, y, class_="axis")
    # An interval that leaves the axis ends in an arrow, others in a bar.
    for end, is_cut, way in ((left, lower < axis.low, -1), (right, upper > axis.high, 1)):
        if is_cut:
            points = f"{end + 6 * way:.1f},{y} {end:.1f},{y - 4} {end:.1f},{y + 4}"
            yield svg.element("polygon", points=points, fill=svg.BLACK)
        else:
            yield svg.line(end, y - 4, end, y + 4, class_="axis")
    side = 2 * HALF_MARK
    yield svg.element(
        "rect", x=middle - HALF_MARK, y=y - HALF_MARK, width=side, height=side, fill=svg.BLUE
    )
