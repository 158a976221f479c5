"""Scaled Schoenfeld residuals over time with a smooth curve, a small panel for each coefficient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.figures import svg

WIDTH, COLUMNS = 900.0, 3
PANEL_WIDTH, PANEL_HEIGHT = WIDTH / COLUMNS, 215.0
LEFT, RIGHT, TOP, BOTTOM = 38.0, 14.0, 44.0, 34.0
STEPS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 12.0, 20.0, 24.0, 50.0, 100.0, 200.0, 500.0)


@dataclass(frozen=True)
class Panel:
    """A coefficient: residuals (month, value), curve (month, value, lower, upper), and the constant estimate."""

    title: str
    subtitle: str
    points: tuple[tuple[float, float], ...]
    curve: tuple[tuple[float, float, float, float], ...]
    constant: float | None


def residual_plot(panels: Sequence[Panel], label: str, name: str) -> Markup:
    """The figure as SVG."""
    rows = -(-len(panels) // COLUMNS)
    children = [
        part
        for k, panel in enumerate(panels)
        for part in _panel(panel, (k % COLUMNS) * PANEL_WIDTH, (k // COLUMNS) * PANEL_HEIGHT)
    ]
    return svg.figure(WIDTH, rows * PANEL_HEIGHT + 22, label, [*children, *_foot(rows)], name)


def _foot(rows: int) -> Iterator[Markup]:
    text = "Months. Vertical: log hazard ratio. Dashed: the model's constant log hazard ratio; thin: 0."
    yield svg.text(LEFT, rows * PANEL_HEIGHT + 12, text, class_="small")


@dataclass(frozen=True)
class _Scale:
    x0: float
    y0: float
    longest: float
    low: float
    high: float

    def x(self, month: float) -> float:
        return self.x0 + LEFT + (PANEL_WIDTH - LEFT - RIGHT) * month / self.longest

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        share = (self.high - inside) / (self.high - self.low)
        return self.y0 + TOP + (PANEL_HEIGHT - TOP - BOTTOM) * share


def _panel(panel: Panel, x0: float, y0: float) -> Iterator[Markup]:
    values = [value for _, value in panel.points]
    values += [end for _, _, lower, upper in panel.curve for end in (lower, upper)]
    longest = max((month for month, _ in panel.points), default=1.0) or 1.0
    low, high = min([0.0, *values]), max([0.0, *values])
    room = (high - low) * 0.04 or 1.0
    scale = _Scale(x0, y0, longest, low - room, high + room)
    yield svg.text(x0 + LEFT - 30, y0 + 16, panel.title, class_="small strong")
    yield svg.text(x0 + LEFT - 30, y0 + 32, panel.subtitle, class_="small")
    yield from _axes(scale)
    if panel.curve:
        yield from _curve(panel.curve, scale)
    for month, value in panel.points:
        yield svg.element(
            "circle",
            cx=scale.x(month),
            cy=scale.y(value),
            r=2.2,
            fill="none",
            stroke="#3d3d3d",
            stroke_opacity=0.55,
        )
    if panel.constant is not None:
        y = scale.y(panel.constant)
        yield svg.line(
            scale.x(0), y, scale.x(longest), y, stroke=svg.VERMILION, stroke_width=1.6,
            stroke_dasharray="7 4",
        )  # fmt: skip


def _axes(scale: _Scale) -> Iterator[Markup]:
    bottom = scale.y(scale.low)
    for month in _ticks(0.0, scale.longest):
        yield svg.text(
            scale.x(month), bottom + 16, f"{month:g}", class_="small", text_anchor="middle"
        )
    for value in _ticks(scale.low, scale.high):
        yield svg.line(scale.x(0) - 4, scale.y(value), scale.x(0), scale.y(value), class_="axis")
        yield svg.text(
            scale.x(0) - 6, scale.y(value) + 4, f"{value:g}", class_="small", text_anchor="end"
        )
    yield svg.line(scale.x(0), scale.y(scale.high), scale.x(0), bottom, class_="axis")
    yield svg.line(scale.x(0), bottom, scale.x(scale.longest), bottom, class_="axis")
    yield svg.line(scale.x(0), scale.y(0), scale.x(scale.longest), scale.y(0), class_="grid")


def _ticks(low: float, high: float) -> list[float]:
    """At most six round numbers from low to high."""
    step = next((s for s in STEPS if (high - low) / s <= 5), (high - low) / 4)
    first = -(-low // step)
    return [step * (first + k) for k in range(int(high // step - first) + 1)]


def _curve(curve: tuple[tuple[float, float, float, float], ...], scale: _Scale) -> Iterator[Markup]:
    upper = [f"{scale.x(month):.1f},{scale.y(high):.1f}" for month, _, _, high in curve]
    lower = [f"{scale.x(month):.1f},{scale.y(low):.1f}" for month, _, low, _ in reversed(curve)]
    yield svg.element("polygon", points=" ".join([*upper, *lower]), fill=svg.SKY, fill_opacity=0.3)
    middle = " ".join(f"{scale.x(month):.1f},{scale.y(value):.1f}" for month, value, _, _ in curve)
    yield svg.element("polyline", points=middle, fill="none", stroke=svg.BLUE, stroke_width=2)
