"""Shares of the classes of response as stacked bars, one bar a group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.figures import svg

WIDTH = 760.0
LEFT, RIGHT, TOP = 170.0, 150.0, 46.0
BAR, GAP = 34.0, 18.0
COLORS = (svg.BLUE, svg.SKY, svg.YELLOW, svg.GREY)
DARK = {svg.BLUE}


@dataclass(frozen=True)
class Bar:
    """A bar: its label, the share of each class in percent with the text in it, a note at its end."""

    label: str
    shares: tuple[float, ...]
    texts: tuple[str, ...]
    note: str


def stacked_bar(bars: Sequence[Bar], classes: Sequence[str], label: str, name: str) -> Markup:
    """The figure as SVG."""
    height = TOP + len(bars) * (BAR + GAP) + 40
    return svg.figure(WIDTH, height, label, [*_legend(classes), *_axis(height), *_bars(bars)], name)


def _x(share: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * share / 100


def _legend(classes: Sequence[str]) -> Iterator[Markup]:
    x = LEFT
    for color, label in zip(COLORS, classes, strict=False):
        yield svg.element("rect", x=x, y=12, width=14, height=14, fill=color)
        yield svg.text(x + 20, 24, label, class_="small")
        x += 34 + 8.0 * len(label)


def _axis(height: float) -> Iterator[Markup]:
    bottom = height - 34
    for share in range(0, 101, 25):
        x = _x(float(share))
        yield svg.line(x, TOP - 8, x, bottom, class_="grid")
        yield svg.text(x, bottom + 16, f"{share}%", class_="small", text_anchor="middle")


def _bars(bars: Sequence[Bar]) -> Iterator[Markup]:
    for index, bar in enumerate(bars):
        y = TOP + index * (BAR + GAP)
        middle = y + BAR / 2 + 5
        yield svg.text(LEFT - 10, middle, bar.label, text_anchor="end")
        start = 0.0
        for share, text, color in zip(bar.shares, bar.texts, COLORS, strict=False):
            if share > 0:
                yield svg.element(
                    "rect",
                    x=_x(start),
                    y=y,
                    width=_x(start + share) - _x(start),
                    height=BAR,
                    fill=color,
                    stroke="#ffffff",
                )
            if share >= 4:
                yield svg.text(
                    (_x(start) + _x(start + share)) / 2,
                    middle,
                    text,
                    class_="small",
                    text_anchor="middle",
                    fill="#ffffff" if color in DARK else "#000000",
                )
            start += share
        yield svg.text(_x(100.0) + 10, middle, bar.note, class_="small strong")
